import { describe, expect, it } from 'vitest';
import type { Answered, Asked } from '../api/exchange';
import { CallFailed } from '../api/http';
import type { Allows, Session } from '../api/types';
import { accepted, extensionOf, notOffered, uploadWords } from './offered';
import { LARGE, Transfers } from './queue.svelte';
import { Rate } from './rate';
import type { Transfer } from './transfer.svelte';
import { PIECE, Upload, type World } from './tus';

const allows = (more: Partial<Allows> = {}): Allows => ({
  control: true,
  copy: true,
  paste: true,
  resize: true,
  copy_bytes: 1,
  paste_bytes: 1,
  upload: true,
  download: true,
  upload_bytes: 1024,
  download_bytes: 1024,
  upload_types: ['application/pdf', 'image/*'],
  upload_extensions: [],
  ...more,
});

describe('what is offered', () => {
  it('is what policy allows, as far as a page can tell', () => {
    expect(notOffered({ name: 'a.exe', size: 1024 }, allows())).toBeNull();
    expect(notOffered({ name: 'a.pdf', size: 1025 }, allows())).toContain('1.0 KiB');
    expect(notOffered({ name: 'a.pdf', size: 1 }, allows({ upload: false }))).toContain('may not');
    const pdf = allows({ upload_extensions: ['pdf'] });
    expect(notOffered({ name: 'A.PDF', size: 1 }, pdf)).toBeNull();
    expect(notOffered({ name: 'a.pdf.exe', size: 1 }, pdf)).toContain('.pdf');
  });

  it('narrows the picker', () => {
    expect(accepted(allows())).toBe('application/pdf, image/*');
    expect(accepted(allows({ upload_extensions: ['pdf', 'txt'] }))).toBe('.pdf, .txt');
    expect(accepted(allows({ upload_types: [] }))).toBe('');
  });

  it('is said', () => expect(uploadWords(allows()).join(' ')).toMatch(/1\.0 KiB.*application\/pdf, image/));

  it('goes by the last part of a name', () => {
    expect(['a.tar.GZ', 'a', '.profile', 'a.'].map(extensionOf)).toEqual(['gz', '', '', '']);
  });
});

describe('the speed', () => {
  it('is that of the last seconds', () => {
    const rate = new Rate();
    rate.read(0, 0);
    expect(rate.perSecond).toBeNull();
    rate.read(1000, 1000);
    expect([rate.perSecond, rate.secondsFor(3000)]).toEqual([1000, 2]);
    for (const second of [6, 7, 8]) rate.read(1000 + second * 10, second * 1000);
    expect(rate.perSecond).toBe(10);
  });

  it('is counted afresh where bytes were lost', () => {
    const rate = new Rate();
    rate.read(5000, 0);
    rate.read(1000, 1000);
    expect(rate.perSecond).toBeNull();
  });
});

const failure = (status: number) =>
  new CallFailed({
    type: '',
    title: 'no',
    status,
    detail: 'why',
    policy: { revision: 'r', rule: 'a.yaml:1' },
  });
const answered = (status: number, headers: Record<string, string> = {}, body = ''): Answered => ({
  status,
  header: (name) => headers[name] ?? null,
  body: new Blob([body]),
});

/** A gate that keeps one upload and does what a test tells it to. */
class Keeper implements World {
  calls: string[] = [];
  pauses = 0;
  kept = 0;
  size = 0;
  /** What a PATCH does in place of taking its piece, in order. */
  faults: (() => void)[] = [];

  chance = () => 0;
  pause = async (_: number, signal: AbortSignal) => {
    signal.throwIfAborted();
    this.pauses += 1;
  };

  exchange = async ({ method, url, headers = {}, body, onsent }: Asked): Promise<Answered> => {
    this.calls.push(`${method} ${url}${headers['upload-offset'] ? ` ${headers['upload-offset']}` : ''}`);
    if (method === 'POST') {
      this.size = Number(headers['upload-length']);
      return answered(201, { location: `/kept/${headers['upload-metadata']}` });
    }
    if (method === 'HEAD') return answered(200, { 'upload-offset': String(this.kept) });
    if (method === 'DELETE') return answered(204);
    this.faults.shift()?.();
    expect(Number(headers['upload-offset'])).toBe(this.kept);
    this.kept += body?.size ?? 0;
    onsent?.(body?.size ?? 0);
    const metadata = this.kept === this.size ? { 'upload-metadata': 'filename w7wgKDIpLmJpbg==' } : {};
    return answered(204, { 'upload-offset': String(this.kept), ...metadata });
  };
}

describe('a large file', () => {
  const begin = (keeper: Keeper, bytes: number) => {
    const upload = new Upload('/up', 'ü.bin', new Blob([new Uint8Array(bytes)]), keeper);
    const sent: number[] = [];
    const abort = new AbortController();
    return { upload, sent, abort, run: () => upload.run(abort.signal, (moved) => sent.push(moved)) };
  };

  it('goes piece by piece, under its name', async () => {
    const keeper = new Keeper();
    const { run, sent } = begin(keeper, PIECE + 5);
    expect(await run()).toBe('ü (2).bin');
    const place = '/kept/filename w7wuYmlu';
    expect(keeper.calls).toEqual(['POST /up', `PATCH ${place} 0`, `PATCH ${place} ${PIECE}`]);
    expect(sent).toEqual([0, PIECE, PIECE + 5]);
  });

  it('goes on where the network broke', async () => {
    const keeper = new Keeper();
    const { run } = begin(keeper, 100);
    keeper.faults.push(() => {
      keeper.kept = 40;
      throw failure(0);
    });
    await run();
    expect(keeper.calls.map((call) => call.split(' ')[0])).toEqual(['POST', 'PATCH', 'HEAD', 'PATCH']);
    expect([keeper.kept, keeper.pauses]).toEqual([100, 1]);
  });

  it('is given up when the network stays away, and taken up again at the same place', async () => {
    const keeper = new Keeper();
    const { run } = begin(keeper, 10);
    const away = () => {
      throw failure(0);
    };
    keeper.faults = Array.from({ length: 50 }, () => away);
    await expect(run()).rejects.toThrow(CallFailed);
    keeper.faults = [];
    await run();
    expect(keeper.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    expect(keeper.kept).toBe(10);
  });

  it('is begun again when the gate has forgotten it', async () => {
    const keeper = new Keeper();
    const { run } = begin(keeper, 10);
    keeper.faults.push(() => {
      throw failure(404);
    });
    await run();
    expect(keeper.calls.filter((call) => call.startsWith('POST'))).toHaveLength(2);
  });

  it('is not argued about', async () => {
    const keeper = new Keeper();
    const { run } = begin(keeper, 10);
    keeper.faults.push(() => {
      throw failure(403);
    });
    await expect(run()).rejects.toMatchObject({ problem: { status: 403, detail: 'why' } });
    expect(keeper.pauses).toBe(0);
  });

  it('is forgotten when nobody wants it', async () => {
    const keeper = new Keeper();
    const { run, upload } = begin(keeper, 10);
    await run();
    await upload.forget();
    expect(keeper.calls.at(-1)).toMatch(/^DELETE/);
  });
});

describe('files on their way', () => {
  const session = { allows: allows({ upload_bytes: 100 * 1024 * 1024 }) } as Session;
  const until = async (holds: () => boolean) => {
    for (let turns = 0; turns < 1000 && !holds(); turns += 1) await new Promise((done) => setTimeout(done));
    expect(holds()).toBe(true);
  };

  /** Transfers whose calls wait for the test's word. */
  const held = () => {
    const waiting: { asked: Asked; answer: (status: number) => void; fail: (status: number) => void }[] = [];
    const over: Transfer[] = [];
    const exchange = (asked: Asked) =>
      new Promise<Answered>((resolve, reject) => {
        asked.signal?.addEventListener('abort', () => reject(asked.signal?.reason));
        const body = JSON.stringify({ name: 'x', metadata_stripped: true });
        waiting.push({
          asked,
          answer: (status) => resolve(answered(status, {}, body)),
          fail: (status) => reject(failure(status)),
        });
      });
    const transfers = new Transfers(
      's',
      () => session,
      (one) => over.push(one),
      {
        ...new Keeper(),
        exchange,
      } as World,
    );
    return { transfers, waiting, over };
  };
  const file = (name: string, bytes = 3) => new File([new Uint8Array(bytes)], name);

  it('move two at once; the rest waits its turn', async () => {
    const { transfers, waiting, over } = held();
    transfers.handIn(['a', 'b', 'c'].map((name) => file(name)));
    await until(() => waiting.length === 2);
    expect(transfers.all.map(({ stage }) => stage)).toEqual(['waiting', 'moving', 'moving']);
    waiting[0]?.answer(201);
    await until(() => waiting.length === 3);
    expect(over.map(({ name, stage }) => [name, stage])).toEqual([['a', 'done']]);
    expect(over[0]?.taken?.metadata_stripped).toBe(true);
    expect(waiting.map(({ asked }) => asked.url)).toEqual(
      ['a', 'b', 'c'].map((name) => `/api/sessions/s/files?name=${name}`),
    );
  });

  it('say why they were stopped, and are asked again only where that may help', async () => {
    const { transfers, waiting, over } = held();
    transfers.handIn([file('a'), file('b')]);
    await until(() => waiting.length === 2);
    waiting[0]?.fail(403);
    waiting[1]?.fail(0);
    await until(() => over.length === 2);
    expect(over.map(({ stage, repeatable }) => [stage, repeatable])).toEqual([
      ['stopped', false],
      ['failed', true],
    ]);
    expect(over[0]?.problem?.policy?.rule).toBe('a.yaml:1');
  });

  it('are told apart: all of it is there, and the gate looks into it', async () => {
    const { transfers, waiting } = held();
    transfers.handIn([file('a', 10)]);
    await until(() => waiting.length === 1);
    waiting[0]?.asked.onsent?.(4);
    expect([transfers.all[0]?.stage, transfers.all[0]?.moved]).toEqual(['moving', 4]);
    waiting[0]?.asked.onsent?.(10);
    expect(transfers.all[0]?.stage).toBe('judging');
  });

  it('can be cancelled, waiting or moving', async () => {
    const { transfers, waiting, over } = held();
    transfers.handIn(['a', 'b', 'c'].map((name) => file(name)));
    await until(() => waiting.length === 2);
    for (const one of transfers.all) transfers.cancel(one);
    await until(() => over.length === 3);
    expect(transfers.all.map(({ stage }) => stage)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(waiting).toHaveLength(2);
    transfers.clear();
    expect(transfers.all).toEqual([]);
  });

  it('are not sent where policy does not allow them, nor as folders', () => {
    const { transfers, waiting, over } = held();
    transfers.handIn([file('a', 200)].map((one) => Object.defineProperty(one, 'size', { value: 1e12 })));
    transfers.handInNothing('folder');
    expect(waiting).toHaveLength(0);
    expect(over.map(({ stage }) => stage)).toEqual(['stopped', 'stopped']);
  });

  it('go piece by piece when they are large', async () => {
    const { transfers, waiting } = held();
    transfers.handIn([file('a', LARGE + 1)]);
    await until(() => waiting.length === 1);
    expect(waiting[0]?.asked.url).toBe('/api/sessions/s/uploads');
  });
});
