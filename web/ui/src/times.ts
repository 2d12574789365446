/** Moments and lengths of time as people read them: the reader's zone, with UTC beside it. */

/** A moment in the reader's zone and language: day and minutes. */
export function localMoment(rfc3339: string, zone?: string, language?: string): string {
  const moment = new Date(rfc3339);
  if (Number.isNaN(moment.getTime())) return rfc3339;
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(zone === undefined ? {} : { timeZone: zone }),
  }).format(moment);
}

/** The same moment in UTC, to the second: `2026-11-21 14:03:09 UTC`. */
export function utcMoment(rfc3339: string): string {
  const moment = new Date(rfc3339);
  if (Number.isNaN(moment.getTime())) return rfc3339;
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A length in words: `42 s`, `3 min 5 s`, `2 h 4 min`. */
export function lengthWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** Bytes in words, in steps of 1024: `812 B`, `4.2 MiB`. */
export function byteWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = Math.max(0, bytes);
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** A recording's length in milliseconds: of one that still runs, the time since its start, as its index lags. */
export function recordedFor(
  recording: { started: string; duration_ms: number; state: string },
  now: number,
): number {
  if (recording.state !== 'recording') return recording.duration_ms;
  return Math.max(recording.duration_ms, now - Date.parse(recording.started) || 0);
}
