/** The icons: paths of 24 × 24, drawn as lines. */
export const icons = {
  // Desktops, by the name that a template gives.
  desktop: 'M3 5h18v11H3z M9 20h6 M12 16v4',
  terminal: 'M3 4h18v16H3z M7 9l3 3-3 3 M12.5 15.5H17',
  browser: 'M3 4h18v16H3z M3 9h18 M6.2 6.5h.01 M9 6.5h.01',
  code: 'M8 7l-5 5 5 5 M16 7l5 5-5 5 M13.5 5l-3 14',
  office: 'M6 3h8l4 4v14H6z M14 3v4h4 M9 12h6 M9 16h6',
  files: 'M3 6h6l2 2h10v11H3z',
  vault:
    'M4 4h16v14H4z M7 18v2 M17 18v2 M12 8a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M12 8V6.5 M12 15.5V14 M9 11H7.5 M16.5 11H15',
  chart: 'M4 4v16h16 M8 16v-4 M12.5 16V8 M17 16v-6',
  account: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M4.5 20.5c.8-4 3.6-6 7.5-6s6.7 2 7.5 6',
  // What may cross.
  keyboard: 'M2 7h20v10H2z M6 10.5h.01 M9.5 10.5h.01 M13 10.5h.01 M16.5 10.5h.01 M8 14h8',
  paste: 'M9 4H5v16h14V4h-4 M9 2.8h6v3H9z M12 9.5v6 M9.5 13l2.5 2.5 2.5-2.5',
  copy: 'M9 4H5v16h14V4h-4 M9 2.8h6v3H9z M12 16v-6 M9.5 12.5L12 10l2.5 2.5',
  upload: 'M12 16V4.5 M7.5 9L12 4.5 16.5 9 M4 15v5h16v-5',
  download: 'M12 4v11.5 M7.5 11l4.5 4.5 4.5-4.5 M4 15v5h16v-5',
  folder: 'M3 6h6l2 2h10v11H3z',
  hidden:
    'M3 3l18 18 M10 6a9.7 9.7 0 0 1 2-.2c6 0 9.5 6.2 9.5 6.2a16 16 0 0 1-2.8 3.4 M6.2 7.8A15.6 15.6 0 0 0 2.5 12S6 18.2 12 18.2a9.3 9.3 0 0 0 4-.9 M9.9 9.9a3 3 0 0 0 4.2 4.2',
  // The player.
  play: 'M8 5.5v13l10.5-6.5z',
  pause: 'M8.5 5.5v13 M15.5 5.5v13',
  'frame-back': 'M7 6v12 M17 6.5L11 12l6 5.5z',
  'frame-on': 'M17 6v12 M7 6.5l6 5.5-6 5.5z',
  'event-back': 'M18 6l-7 6 7 6z M9.5 8.5L6 12l3.5 3.5z',
  'event-on': 'M6 6l7 6-7 6z M14.5 8.5L18 12l-3.5 3.5z',
  skip: 'M4 6l6.5 6L4 18z M12.5 6l6.5 6-6.5 6z M21 6v12',
  input: 'M5 3.5l9 6-4 .9 2.2 4.2-1.9 1-2.2-4.2L5 14.5z M11 18.5h10 M15 15v0 M18.5 15v0',
  bookmark: 'M7 4h10v16l-5-4.2L7 20z',
  note: 'M5 4h14v11l-5 5H5z M14 20v-5h5 M8.5 8.5h7 M8.5 12h5',
  camera: 'M4 7.5h3.5L9 5h6l1.5 2.5H20V19H4z M12 10a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z',
  plus: 'M12 5.5v13 M5.5 12h13',
  minus: 'M5.5 12h13',
  expand: 'M4 9V4h5 M15 4h5v5 M20 15v5h-5 M9 20H4v-5',
  shrink: 'M9 4v5H4 M20 9h-5V4 M15 20v-5h5 M4 15h5v5',
  // Events.
  session: 'M5 20.5V11a7 7 0 0 1 14 0v9.5 M12 4v13 M5 12h14 M2.5 20.5h5 M16.5 20.5h5',
  viewer:
    'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z M12 9.4a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2z',
  pointer: 'M6 3.5l12.5 8-5.6 1.2 3 5.8-2.6 1.3-3-5.8L6 18.5z',
  resize: 'M4 4h16v16H4z M9 15l6-6 M11 9h4v4',
  policy: 'M12 3l8 3v6c0 4.5-3.4 7.8-8 9-4.6-1.2-8-4.5-8-9V6z M8.8 12l2.3 2.3 4.3-4.5',
  gap: 'M4 12h3 M17 12h3 M9 8v8 M15 8v8',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6 M4 17h16 M10.5 20.5h3',
  // Signs.
  lock: 'M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  stop: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z M6 6l12 12',
  alert: 'M12 4l9 16H3z M12 10v4.5 M12 17.2h.01',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  cross: 'M6 6l12 12 M18 6L6 18',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z M15.2 15.2L20 20',
  back: 'M14.5 6l-6 6 6 6',
  again: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L20 9.4 M20 4.5v4.9h-4.9',
  key: 'M8 8.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 12.5h9.5 M18 12.5v3.5 M21.5 12.5v2.5',
  proof: 'M12 3l8 3v6c0 4.5-3.4 7.8-8 9-4.6-1.2-8-4.5-8-9V6z M8.8 12l2.3 2.3 4.3-4.5',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.2 1.2 M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.2-1.2',
  film: 'M3 5h18v14H3z M7 5v14 M17 5v14 M3 10h4 M3 14.5h4 M17 10h4 M17 14.5h4',
  'sign-out': 'M10 4H5v16h5 M15 8l4 4-4 4 M9.5 12H19',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M12 2.5v2 M12 19.5v2 M2.5 12h2 M19.5 12h2 M5.3 5.3l1.4 1.4 M17.3 17.3l1.4 1.4 M18.7 5.3l-1.4 1.4 M6.7 17.3l-1.4 1.4',
  moon: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z',
  system: 'M12 3.5a8.5 8.5 0 1 0 0 17z M12 3.5a8.5 8.5 0 0 1 0 17',
  chevron: 'M6 9l6 6 6-6',
  edit: 'M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19z M14 6.5l3.5 3.5',
  bin: 'M5 7h14 M9.5 7V4.5h5V7 M7 7l1 13h8l1-13 M10.5 11v5.5 M13.5 11v5.5',
} as const;

export type IconName = keyof typeof icons;

/** The icon of a desktop template; names that are not ours get the plain desktop. */
export function desktopIcon(name: string): IconName {
  const ours = ['desktop', 'terminal', 'browser', 'code', 'office', 'files', 'vault', 'chart'] as const;
  const alike: Record<string, (typeof ours)[number]> = {
    chromium: 'browser',
    web: 'browser',
    shell: 'terminal',
    xterm: 'terminal',
    dev: 'code',
    editor: 'code',
    document: 'office',
    folder: 'files',
  };
  const wanted = name.toLowerCase();
  return ours.find((one) => one === wanted) ?? alike[wanted] ?? 'desktop';
}
