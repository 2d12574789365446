/** The files of a session page on their way: a few at once, the rest wait their turn. */
import { fileUrl, filesUrl, uploadsUrl } from '../api/calls';
import { exchange } from '../api/exchange';
import type { DesktopFile, HandedIn, Session } from '../api/types';
import { strings } from '../strings';
import { notOffered } from './offered';
import { save } from './save';
import { Transfer, type Course, type Direction } from './transfer.svelte';
import { Upload, type World } from './tus';

/** Files that move at once. */
const AT_ONCE = 2;
/** Files that may wait and move; of more the rest is told to come again. */
const MOST = 100;
/** Files larger than this, in bytes, go piece by piece. */
export const LARGE = 8 * 1024 * 1024;

const world: World = { exchange, pause, chance: Math.random };

export class Transfers {
  /** The newest first. */
  all = $state<Transfer[]>([]);

  #count = 0;

  constructor(
    private readonly id: string,
    private readonly session: () => Session | null,
    /** A transfer is over, however it ended. */
    private readonly onover: (transfer: Transfer) => void,
    private readonly moves: World = world,
  ) {}

  get busy(): number {
    return this.all.filter((one) => !one.over).length;
  }

  /** Hands files in, or says of each why not. */
  handIn(files: readonly File[]): void {
    for (const file of files) {
      const transfer = this.#add('upload', file.name, file.size, this.#upload(file));
      const allows = this.session()?.allows;
      const why = allows ? notOffered(file, allows) : strings.files.notOffered.upload;
      if (why) this.#refuse(transfer, why);
      else if (this.busy > MOST) this.#refuse(transfer, strings.files.notOffered.many(MOST));
    }
    this.#next();
  }

  /** A folder, or something else without bytes of its own, was dropped. */
  handInNothing(name: string): void {
    this.#refuse(this.#add('upload', name, 0, { run: async () => null }), strings.files.notOffered.folder);
  }

  /** Fetches a file of the transfer folder to this computer. */
  fetch({ name, bytes }: DesktopFile): void {
    if (this.busy >= MOST) return;
    const url = fileUrl(this.id, name);
    this.#add('download', name, bytes, {
      run: async (signal, onreceived) => {
        const { body } = await this.moves.exchange({ method: 'GET', url, signal, onreceived });
        save(body, name);
        return null;
      },
    });
    this.#next();
  }

  cancel(transfer: Transfer): void {
    const waited = transfer.stage === 'waiting';
    transfer.cancel();
    // One that moved tells of its end itself.
    if (waited) this.onover(transfer);
  }

  again(transfer: Transfer): void {
    transfer.again();
    this.#next();
  }

  /** Takes what is over from the list. */
  clear(): void {
    this.all = this.all.filter((one) => !one.over);
  }

  /** The session is over, and with it everything on its way. */
  close(): void {
    for (const transfer of this.all) transfer.cancel();
  }

  #add(direction: Direction, name: string, bytes: number, course: Course): Transfer {
    this.#count += 1;
    const transfer = new Transfer(this.#count, direction, name, bytes, course);
    this.all = [transfer, ...this.all];
    return transfer;
  }

  #refuse(transfer: Transfer, detail: string): void {
    transfer.stop({ type: 'about:blank', title: detail, status: 413, detail });
    this.onover(transfer);
  }

  #next(): void {
    const moving = this.all.filter(({ stage }) => stage === 'moving' || stage === 'judging').length;
    const waiting = this.all.filter(({ stage }) => stage === 'waiting').toReversed();
    for (const transfer of waiting.slice(0, Math.max(0, AT_ONCE - moving))) {
      void transfer.run().then(() => {
        this.onover(transfer);
        this.#next();
      });
    }
  }

  #upload(file: File): Course {
    if (file.size > LARGE) {
      const upload = new Upload(uploadsUrl(this.id), file.name, file, this.moves);
      return {
        run: async (signal, onmoved) => {
          const name = await upload.run(signal, (bytes) => onmoved(bytes, file.size));
          return name === null ? null : { name, metadata_stripped: false };
        },
        forget: () => upload.forget(),
      };
    }
    const url = `${filesUrl(this.id)}?${new URLSearchParams({ name: file.name })}`;
    const headers = { 'content-type': 'application/octet-stream' };
    return {
      run: async (signal, onmoved) => {
        const onsent = (bytes: number) => onmoved(bytes, file.size);
        const answer = await this.moves.exchange({
          method: 'POST',
          url,
          headers,
          body: file,
          signal,
          onsent,
        });
        return JSON.parse(await answer.body.text()) as HandedIn;
      },
    };
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
