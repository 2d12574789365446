/** The theme that the reader chose; public/theme.js sets it before the first paint by the same key. */

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'portcullis.theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];

/** The remembered theme; storage that is forbidden or holds nonsense means the system's. */
export function rememberedTheme(): Theme {
  try {
    const found = localStorage.getItem(KEY);
    return found === 'light' || found === 'dark' ? found : 'system';
  } catch {
    return 'system';
  }
}

/** Shows a theme and remembers it where the browser lets us. */
export function chooseTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Not remembered, but shown.
  }
}

/** The theme that the toggle comes to next. */
export function themeAfter(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? 'system';
}
