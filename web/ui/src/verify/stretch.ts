/** Which stretch of the recording a fault of a file is about. Pure. */

/** Microseconds of the media clock. */
export interface Stretch {
  from_us: number;
  to_us: number;
}

/** A good link: its segment's stretch, and the init segment that it lists, empty where it lists none. */
export interface LinkAt extends Stretch {
  init: string;
}

/**
 * The stretch of the segment that a file belongs to: as its link says, or where that is not good what lies between the good ones beside it. Null for
 * a file that belongs to no moment: the ends of the bundle, and what goes on behind its last segment.
 */
export function stretchOf(
  path: string,
  links: ReadonlyMap<number, LinkAt>,
  last: number,
  end_us: number,
): Stretch | null {
  const n = Number(/\/(\d{5})\./.exec(path)?.[1] ?? 0);
  if (n > 0) return n > last ? null : segment(n, links, end_us);
  const init = /^video\/init-\d{4}\.mp4/.exec(path)?.[0];
  if (!init) return null;
  const ordered = [...links.values()];
  const begins = ordered.find((link) => link.init.startsWith(init));
  if (!begins) return null;
  const next = ordered.find((link) => link.init !== '' && link.from_us >= begins.to_us);
  return { from_us: begins.from_us, to_us: next?.from_us ?? end_us };
}

function segment(n: number, links: ReadonlyMap<number, LinkAt>, end_us: number): Stretch {
  const own = links.get(n);
  if (own) return { from_us: own.from_us, to_us: own.to_us };
  let [from_us, to_us] = [0, end_us];
  // Not every number below is looked at: there may be as many as there are links.
  for (const [other, link] of links) {
    if (other < n) from_us = Math.max(from_us, link.to_us);
    else to_us = Math.min(to_us, link.from_us);
  }
  return { from_us, to_us: Math.max(from_us, to_us) };
}
