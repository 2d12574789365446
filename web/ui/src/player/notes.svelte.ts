/** Notes and bookmarks of a recording, by everybody who may see it; hidden where the gate keeps none. */
import { addNote, notes as fetchNotes, removeNote } from '../api/calls';
import { CallFailed, problemOf } from '../api/http';
import type { Note, Problem } from '../api/types';

/** Characters of a note. */
export const MOST_CHARACTERS = 2_000;

export class Notes {
  /** In the order of their moments; null until they are there, and where the gate keeps none. */
  list = $state.raw<Note[] | null>(null);
  problem = $state.raw<Problem | null>(null);

  constructor(private readonly recording: string) {}

  async load(): Promise<void> {
    try {
      this.list = sorted(await fetchNotes(this.recording));
    } catch (thrown) {
      // A gate that does not know of notes is no fault.
      if (!(thrown instanceof CallFailed) || thrown.status !== 404) this.problem = problemOf(thrown);
    }
  }

  /** Adds one at a position in seconds; false where the gate does not take it. */
  async add(position: number, text: string): Promise<boolean> {
    return this.#change(async () => {
      const note = await addNote(this.recording, Math.round(position * 1000), text.trim());
      this.list = sorted([...(this.list ?? []), note]);
    });
  }

  async remove(note: Note): Promise<boolean> {
    return this.#change(async () => {
      await removeNote(this.recording, note.id);
      this.list = (this.list ?? []).filter(({ id }) => id !== note.id);
    });
  }

  /** Other words for a note: a new one takes its place, since what was written is not changed behind anybody's back. */
  async reword(note: Note, text: string): Promise<boolean> {
    if (text.trim() === note.text) return true;
    return (await this.add(note.at / 1000, text)) && (await this.remove(note));
  }

  async #change(act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      this.problem = null;
      return true;
    } catch (thrown) {
      this.problem = problemOf(thrown);
      return false;
    }
  }
}

function sorted(notes: readonly Note[]): Note[] {
  return [...notes].sort((one, other) => one.at - other.at || one.made.localeCompare(other.made));
}
