/** A provider of sign-ins on this machine (npm `oidc-provider`): its people and their groups, its clients, and what it can be told to do. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

/** Who it knows, and their groups there. */
export const PEOPLE = {
  ursula: ['desk-users'],
  audrey: ['desk-users', 'auditing'],
  adam: ['operators'],
  // Groups that the gate would heed if it took them as they are.
  mallory: ['administrators', 'auditors', 'nobody-knows'],
};

const key = () => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  use: 'sig',
});

export class OidcProvider {
  #server;
  #port = 0;
  #answer = (request, response) => response.writeHead(503).end();
  #clients = [];
  issuer;

  /** Listens; nobody can sign in before `serve`. */
  static async start() {
    const provider = new OidcProvider();
    await provider.listen();
    return provider;
  }

  /** Listens, again at the same address after it was away. */
  async listen() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = this.#server.address().port;
    this.issuer = `http://127.0.0.1:${this.#port}`;
  }

  /** Takes sign-ins for this gate, as its provider `id`; a client without a secret is a public one. */
  serve(gate, id, secret) {
    const at = `${gate}/api/sign-in/${id}`;
    this.#clients = [
      {
        client_id: 'portcullis',
        ...(secret ? { client_secret: secret } : { token_endpoint_auth_method: 'none' }),
        redirect_uris: [`${at}/callback`],
        post_logout_redirect_uris: [`${gate}/signed-out`],
        backchannel_logout_uri: `${at}/logout`,
        backchannel_logout_session_required: true,
      },
    ];
    this.rotate();
  }

  /** Signs with another key from here on, and forgets the old one. Who is signed in stays so. */
  rotate() {
    const provider = new Provider(this.issuer, {
      clients: this.#clients,
      jwks: { keys: [key()] },
      scopes: ['openid', 'groups'],
      claims: { openid: ['sub', 'sid'], groups: ['groups'] },
      // Claims of scopes stand in the ID token itself, as most providers can be told to.
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      cookies: { keys: ['a key of tests'] },
      features: {
        devInteractions: { enabled: true },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { enabled: true, logoutSource },
      },
      // It is alone on this machine, and so is the gate that it calls.
      fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, groups: PEOPLE[id] ?? [] }) }),
    });
    this.#answer = provider.callback();
  }

  /** Is away: connections are refused. */
  async leave() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async stop() {
    if (this.#server.listening) await this.leave();
  }
}

async function logoutSource(context, form) {
  context.body = `<!doctype html><title>Sign out</title><h1>Sign out here?</h1>${form}
    <button type="submit" form="op.logoutForm" value="yes" name="logout">Yes, sign me out</button>`;
}

/** Signs somebody in on the provider's own pages. */
export async function signInThere(page, name) {
  await page.getByPlaceholder('Enter any login').fill(name);
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
