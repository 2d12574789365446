/** The page that the address names now, and going to another without a reload. */
import { routeOf, type Route } from './routes';

/** The current route; reading `.route` in a component follows it. */
export class Router {
  route = $state<Route>(routeOf(location.pathname));
  /** The address's query, with its question mark. */
  query = $state(location.search);

  /** Follows the address bar and links of our own; returns what undoes it. */
  start(): () => void {
    const onpop = () => this.read();
    const onclick = (event: MouseEvent) => this.follow(event);
    window.addEventListener('popstate', onpop);
    document.addEventListener('click', onclick);
    return () => {
      window.removeEventListener('popstate', onpop);
      document.removeEventListener('click', onclick);
    };
  }

  go(path: string, how: 'push' | 'replace' = 'push'): void {
    if (how === 'push') history.pushState(null, '', path);
    else history.replaceState(null, '', path);
    this.read();
    window.scrollTo(0, 0);
  }

  private read(): void {
    this.route = routeOf(location.pathname);
    this.query = location.search;
  }

  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest('a');
    if (!link || link.target !== '' || link.origin !== location.origin || link.hasAttribute('download'))
      return;
    // A fragment on the same page (the skip link) is the browser's own business.
    if (link.pathname === location.pathname && link.hash !== '') return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}
