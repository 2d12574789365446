/** What was found in the recording that is played. */
import { search } from '../api/calls';
import { problemOf } from '../api/http';
import type { Hit, Problem } from '../api/types';
import { besideHit, inOrder } from './hits';

/** Hits of one page of the API, and pages that are asked for. */
const LIMIT = 200;
const PAGES = 5;

export class Hits {
  /** What is sought; empty for nothing. */
  words = $state('');
  list = $state.raw<readonly Hit[] | null>(null);
  problem = $state<Problem | null>(null);
  /** There are more than are listed. */
  cut = $state(false);
  /** The one that was gone to last. */
  current = $state.raw<Hit | null>(null);

  constructor(readonly recording: string) {}

  /** Seeks words; of two searches the later counts. */
  async seek(words: string): Promise<void> {
    [this.words, this.current, this.problem] = [words.trim(), null, null];
    const sought = this.words;
    this.list = sought === '' ? [] : null;
    if (sought === '') return;
    const found: Hit[] = [];
    let next: string | null = null;
    try {
      const query = new URLSearchParams({ recording: this.recording, q: sought }).toString();
      for (let page = 0; page === 0 || (next !== null && page < PAGES); page += 1) {
        const answer: { hits: Hit[]; next: string | null } = await search(query, next, LIMIT);
        found.push(...answer.hits);
        next = answer.next;
      }
    } catch (thrown) {
      if (this.words === sought) this.problem = problemOf(thrown);
    }
    if (this.words === sought) [this.list, this.cut] = [inOrder(found), next !== null];
  }

  /** The next or the previous one; null where there is none. */
  beside(position: number, step: 1 | -1): Hit | null {
    return besideHit(this.list ?? [], this.current, position, step);
  }
}
