// The remembered theme, before the first paint. parts/theme.ts keeps the same key.
try {
  var theme = localStorage.getItem('portcullis.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch (_) {
  // Storage may be forbidden: the system's theme it is.
}
