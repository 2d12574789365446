/** The pretended gate's search: filters of the list, moments, saved filters. */
import { events, screenLines } from './fixtures.mjs';
import { empty, json, problem } from './gate.mjs';

/** Answers what is asked about searching; whether it was such a question. */
export function finder(world, request, response, pathname, query, body) {
  if (pathname === '/api/recordings') {
    const all = world.recordings.filter((one) => isSought(one, query));
    json(response, page('recordings', all, query));
  } else if (pathname === '/api/search') {
    const found = world.recordings.filter((one) => isSought(one, query)).flatMap((one) => hitsOf(one, query));
    json(response, page('hits', found, query));
  } else if (pathname === '/api/filters') {
    json(response, { filters: world.filters });
  } else if (pathname.startsWith('/api/filters/')) {
    const name = decodeURIComponent(pathname.slice('/api/filters/'.length));
    if (request.method === 'PUT' && world.filters.length >= 50)
      problem(response, 409, 'Conflict', 'There are 50 filters. Remove one first.');
    else {
      world.filters = world.filters.filter((one) => one.name !== name);
      if (request.method === 'PUT') world.filters.push({ name, query: body.query });
      empty(response);
    }
  } else return false;
  return true;
}

function page(name, all, query) {
  const from = Number(query.get('before') ?? 0);
  const limit = Number(query.get('limit') ?? 50);
  const next = from + limit < all.length ? String(from + limit) : null;
  return { [name]: all.slice(from, from + limit), next };
}

function isSought(one, query) {
  const is = (name, value) => !query.get(name) || value.includes(query.get(name));
  return (
    is('recording', [one.id]) &&
    is('subject', [one.subject]) &&
    is('desktop', [one.desktop]) &&
    is('state', [one.state]) &&
    is('group', one.groups) &&
    is('policy', [one.policy.rule, one.policy.revision, one.policy.rule.split(':')[0]]) &&
    (!query.get('verdict') || (query.get('verdict') === 'denied') === one.denied > 0) &&
    Number(query.get('min_ms') ?? 0) <= one.duration_ms &&
    (!query.get('q') || hitsOf(one, query).length > 0)
  );
}

function hitsOf(one, query) {
  const sought = query.get('q').toLowerCase().replaceAll(/["*]/g, '');
  if (one.encrypted) return [];
  const said = (text) => {
    const from = text.toLowerCase().indexOf(sought);
    return from < 0 ? null : { text, marks: [{ from, to: from + sought.length }] };
  };
  const { id, subject, desktop, started, policy } = one;
  const lines =
    one.readings.text.state !== 'made'
      ? []
      : screenLines.flatMap(({ text, at, screen }) => {
          const snippet = said(text);
          const whose = { recording: id, subject, desktop, started, rule: '', policy: policy.revision };
          return snippet ? [{ ...whose, at, kind: 'screen', verdict: null, snippet, screen }] : [];
        });
  const found = events(one).flatMap((event) => {
    const text = [event.name, event.found?.join(', '), event.reason].filter(Boolean).join(' · ');
    const snippet = said(text);
    if (!snippet) return [];
    const at = Math.floor(event.at_us / 1000);
    const { type: kind, rule, policy, effect: verdict = null } = event;
    return [
      { recording: id, subject, desktop, started, at, kind, verdict, rule, policy, snippet, screen: null },
    ];
  });
  return [...lines, ...found];
}
