/** The part of noVNC's documented API (docs/API.md of @novnc/novnc 1.7) that the session page uses. */
declare module '@novnc/novnc' {
  interface RFBEvents {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ clean: boolean }>;
    clipboard: CustomEvent<{ text: string }>;
    desktopname: CustomEvent<{ name: string }>;
    securityfailure: CustomEvent<{ status: number; reason?: string }>;
    bell: CustomEvent;
  }

  /** Writes one message to noVNC's socket; not documented, and looked at by a test. */
  type Write<T extends unknown[]> = (socket: unknown, ...content: T) => void;

  export default class RFB {
    static messages: {
      extendedClipboardProvide: Write<[formats: number[], texts: string[]]>;
      clientCutText: Write<[body: Uint8Array, extended: boolean]>;
    };
    constructor(
      target: HTMLElement,
      channel: WebSocket | string,
      options?: { shared?: boolean; wsProtocols?: string[] },
    );
    background: string;
    focusOnClick: boolean;
    resizeSession: boolean;
    scaleViewport: boolean;
    showDotCursor: boolean;
    viewOnly: boolean;
    addEventListener<K extends keyof RFBEvents>(type: K, listener: (event: RFBEvents[K]) => void): void;
    blur(): void;
    clipboardPasteFrom(text: string): void;
    disconnect(): void;
    focus(options?: FocusOptions): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
  }
}
