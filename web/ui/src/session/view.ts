/** One viewer's connection to its desktop: noVNC on a WebSocket of ours, whose close code it does not pass on. */
import type RFB from '@novnc/novnc';
import type { Allows, Grant } from '../api/types';
import type { Closed } from './close';
import { provideMessage } from './provide';

/** What the page wants to hear. */
export interface Watch {
  /** The handshake is done and pixels come. */
  onlive: () => void;
  /** The connection has ended, by whatever side. Comes once. */
  onclosed: (closed: Closed) => void;
  /** The desktop copied text, and the gate let it out. */
  oncopied: (text: string) => void;
}

/** RFC 6455 section 7.4.1: closed without a close frame. */
const ABNORMAL = 1006;

/** X11 keysyms that the page presses by itself (keysymdef.h). */
const KEYSYM = { control: 0xffe3, alt: 0xffe9, insert: 0xff63, shift: 0xffe1 };

export class View {
  #rfb: RFB;

  private constructor(rfb: RFB) {
    this.#rfb = rfb;
  }

  /** Loads noVNC, opens the WebSocket with the ticket and shows the desktop in `stage`. The ticket is used up. */
  static async open(stage: HTMLElement, grant: Grant, allows: Allows, watch: Watch): Promise<View> {
    const { default: Rfb } = await import('@novnc/novnc');
    Rfb.messages.extendedClipboardProvide = (socket, _formats, [text = '']) =>
      Rfb.messages.clientCutText(socket, provideMessage(text), true);
    const place = new URL(grant.rfb, location.href);
    place.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    // INVARIANT: the ticket travels as a subprotocol; nothing secret is ever in an address.
    const socket = new WebSocket(place, ['binary', `ticket.${grant.ticket}`]);
    let closed: Closed = { code: ABNORMAL, reason: '' };
    socket.addEventListener('close', ({ code, reason }) => {
      closed = { code, reason };
    });

    const rfb = attach(Rfb, stage, socket);
    rfb.background = 'transparent';
    rfb.scaleViewport = true;
    rfb.showDotCursor = true;
    rfb.addEventListener('connect', () => watch.onlive());
    rfb.addEventListener('disconnect', () => watch.onclosed(closed));
    rfb.addEventListener('clipboard', ({ detail }) => watch.oncopied(detail.text));
    const view = new View(rfb);
    view.permit(allows);
    return view;
  }

  /** Follows what the policy allows. The gate judges every action itself; this spares the person vain ones. */
  permit(allows: Allows): void {
    this.#rfb.viewOnly = !allows.control;
    this.#rfb.resizeSession = allows.resize;
  }

  focus(): void {
    this.#rfb.focus({ preventScroll: true });
  }

  blur(): void {
    this.#rfb.blur();
  }

  /** Hands text to the desktop's clipboard, by way of the gate. */
  paste(text: string): void {
    this.#rfb.clipboardPasteFrom(text);
  }

  /** Presses in the desktop the key that asked to paste: noVNC did not see it, so that the browser could. */
  pressAfterPaste(press: { key: string; code: string; metaKey: boolean }): void {
    if (press.code === 'Insert') return this.#rfb.sendKey(KEYSYM.insert, press.code);
    const keysym = /^[a-z]$/i.test(press.key) ? press.key.charCodeAt(0) : 'v'.charCodeAt(0);
    if (!press.metaKey) return this.#rfb.sendKey(keysym, press.code);
    // Cmd+V on a Mac: the desktop holds it as Alt, and wants Ctrl.
    this.#rfb.sendKey(KEYSYM.alt, 'MetaLeft', false);
    this.#rfb.sendKey(KEYSYM.control, 'ControlLeft', true);
    this.#rfb.sendKey(keysym, press.code);
    this.#rfb.sendKey(KEYSYM.control, 'ControlLeft', false);
  }

  /** Somebody is here: a press of Shift, which does nothing on the desktop. */
  stir(): void {
    this.#rfb.sendKey(KEYSYM.shift, 'ShiftLeft');
  }

  close(): void {
    this.#rfb.disconnect();
  }
}

/** This browser cannot show a desktop at all; trying again would not help. */
export class CannotShow extends Error {}

function attach(Rfb: typeof RFB, stage: HTMLElement, socket: WebSocket): RFB {
  try {
    return new Rfb(stage, socket, { shared: true });
  } catch (cause) {
    socket.close();
    throw new CannotShow(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Lets go of every key that the desktop thinks is held; noVNC does so when the window loses the focus, and only then. */
export function releaseKeys(): void {
  window.dispatchEvent(new Event('blur'));
}
