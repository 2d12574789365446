/** Notes of the pretended gate. */
import { me } from './fixtures.mjs';
import { empty, json, problem } from './gate.mjs';

/** Answers calls about notes. */
export function notes(world, method, id, body, response) {
  if (world.notes === null) return problem(response, 404, 'Not found', 'This gate keeps no notes.');
  if (method === 'GET') return json(response, { notes: world.notes });
  if (method === 'DELETE') {
    world.notes = world.notes.filter((note) => note.id !== id);
    return empty(response);
  }
  const made = new Date().toISOString();
  const note = {
    id: `n${world.notes.length + 1}-${made}`,
    at: body.at,
    text: body.text,
    by: me.subject,
    made,
  };
  world.notes.push(note);
  return json(response, note, 201);
}

/** Some that are there already. */
export const some = [
  {
    id: 'a',
    at: 12_400,
    text: 'Asks Dana for the staging window.',
    by: 'bob@example.org',
    made: '2026-11-20T09:12:00Z',
  },
  { id: 'b', at: 26_300, text: '', by: me.subject, made: '2026-11-20T10:02:00Z' },
  {
    id: 'c',
    at: 45_500,
    text: 'Why was the screen to be so large? Compare with the ticket; nothing else that day needed more than 1280×800.',
    by: me.subject,
    made: '2026-11-20T10:05:00Z',
  },
];
