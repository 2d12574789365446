/** A call whose bytes are watched on their way: files in and out. fetch tells nothing of what it has sent. */
import { refusal, unreachable } from './http';

export interface Asked {
  method: 'GET' | 'POST' | 'HEAD' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  body?: Blob;
  signal?: AbortSignal;
  /** So many bytes of the body are sent. */
  onsent?: (bytes: number) => void;
  /** So many bytes of the answer are here, of so many; of 0 where the answer does not say. */
  onreceived?: (bytes: number, of: number) => void;
}

export interface Answered {
  status: number;
  header: (name: string) => string | null;
  /** The body. A browser keeps a large one on disk, not in memory. */
  body: Blob;
}

/** Makes the call. Throws CallFailed for whatever is no success, and the signal's reason when aborted. */
export function exchange(asked: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    asked.signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    request.open(asked.method, asked.url);
    request.responseType = 'blob';
    for (const [name, value] of Object.entries(asked.headers ?? {})) request.setRequestHeader(name, value);

    const { onsent, onreceived, signal } = asked;
    if (onsent) request.upload.onprogress = ({ loaded }) => onsent(loaded);
    if (onreceived)
      request.onprogress = ({ loaded, total }) => {
        if (request.status < 300) onreceived(loaded, total);
      };
    const abort = () => request.abort();
    signal?.addEventListener('abort', abort);
    request.onloadend = () => signal?.removeEventListener('abort', abort);
    request.onabort = () => reject(signal?.reason ?? new DOMException('aborted', 'AbortError'));
    request.onerror = () => reject(unreachable());
    request.onload = () => {
      const { status } = request;
      const header = (name: string) => request.getResponseHeader(name);
      const body = request.response as Blob;
      if (status >= 200 && status < 300) return resolve({ status, header, body });
      body.text().then(
        (text) => reject(refusal(status, header('content-type'), text)),
        () => reject(refusal(status, null, '')),
      );
    };
    request.send(asked.body ?? null);
  });
}
