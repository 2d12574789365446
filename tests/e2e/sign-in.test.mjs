/** Signing in by providers and by passwords, in a real browser against real ones: who comes in, as what, and who does not. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, profile } from './browser.mjs';
import { DESKTOPS, Gate } from './gate.mjs';
import { OidcProvider, signInThere } from './provider.mjs';
import { until } from './until.mjs';

const SECRET = 'a-secret-of-tests-that-is-long-enough';
const PASSWORD = 'correct horse battery';

let gate, browser, corp, partners, folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-sign-in-'));
  writeFileSync(join(folder, 'secret'), `${SECRET}\n`, { mode: 0o600 });
  [corp, partners] = [await OidcProvider.start(), await OidcProvider.start()];
  gate = await Gate.start(`
[[sign_in.providers]]
id = "corp"
label = "Corp"
issuer = "${corp.issuer}"
client_id = "portcullis"
client_secret_file = "${join(folder, 'secret')}"
scopes = ["groups"]
groups = { desk-users = ["users"], auditing = ["auditors"] }

[[sign_in.providers]]
id = "partners"
label = "Partners"
issuer = "${partners.issuer}"
client_id = "portcullis"
scopes = ["groups"]
groups = { operators = ["users", "administrators"], desk-users = ["users"] }
${DESKTOPS}`);
  corp.serve(gate.url, 'corp', SECRET);
  partners.serve(gate.url, 'partners');
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
  await corp?.stop();
  await partners?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A browser of its own that reaches this machine alone. */
async function visitor() {
  const { context, witness } = await profile(browser);
  await context.route(
    (url) => !['localhost', '127.0.0.1'].includes(url.hostname),
    (route) => route.abort(),
  );
  return { context, witness, page: await context.newPage() };
}

async function choose(page, label, path = '/') {
  await page.goto(gate.url + path);
  await page.getByRole('button', { name: `Sign in with ${label}` }).click();
}

async function signIn(page, name, label = 'Corp', path = '/') {
  await choose(page, label, path);
  await signInThere(page, name);
}

const desktops = (page) => page.getByRole('heading', { name: 'Desktops', exact: true }).waitFor();
const alert = (page, words) => page.getByRole('alert').getByText(words).waitFor();
const meOf = async (context) => (await context.request.get(`${gate.url}/api/me`)).status();

/** Begins a sign-in of who is signed in at the provider already, and returns the address that the browser would have come back to. */
async function caught(page) {
  let address;
  const out = (url) => url.origin === corp.issuer && url.pathname === '/auth';
  await page.context().route(out, async (route) => {
    // A redirect is not seen by the one who looks on, so it is taken here.
    const answer = await route.fetch({ maxRedirects: 0 });
    address = answer.headers()['location'];
    await route.fulfill({ status: 200, contentType: 'text/html', body: '<p>held</p>' });
  });
  await choose(page, 'Corp');
  await page.getByText('held', { exact: true }).waitFor();
  await page.context().unroute(out);
  assert(address.startsWith(`${gate.url}/api/sign-in/corp/callback?`), address);
  return address;
}

test('a user comes in by a provider, to the page that was asked for', async () => {
  const { context, witness, page } = await visitor();
  await signIn(page, 'ursula', 'Corp', '/recordings');
  await page.getByRole('heading', { name: 'Recordings', exact: true }).waitFor();
  assert.equal(page.url(), `${gate.url}/recordings`);
  const cookies = await context.cookies(gate.url);
  const cookie = cookies.find(({ name }) => name === 'portcullis');
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
  assert(!cookies.some(({ name }) => name === 'portcullis-way'), 'the other cookie has done its work');
  await page.getByLabel('Account of ursula').click();
  await page.getByText(`Signed in by corp (${corp.issuer})`).waitFor();
  await page.getByText('User', { exact: true }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Policies' }).count(), 0);
  await page.goBack();
  assert(!page.url().includes('code='), 'the code is not in the history');

  await page.goto(`${gate.url}/recordings/0198-somebody-elses`);
  await page.getByText('There is no such recording, or you may not see it.').waitFor();
  const codes = witness.addresses.filter((address) => address.includes('/callback?'));
  assert.equal(codes.length, 1);
  assert(!gate.log().includes(new URL(codes[0]).searchParams.get('code')), 'the code is in no log');
  assert.deepEqual(
    witness.complaints.filter((words) => words.includes(gate.url) && !/40[14] \(/.test(words)),
    [],
  );
  await context.close();
});

test('an auditor and an administrator have what their mapped groups give', async () => {
  for (const [name, label, role] of [
    ['audrey', 'Corp', 'User, Auditor'],
    ['adam', 'Partners', 'User, Administrator'],
  ]) {
    const { context, page } = await visitor();
    await signIn(page, name, label);
    await desktops(page);
    await page.getByRole('link', { name: 'Policies' }).waitFor();
    await page.getByLabel(`Account of ${name}`).click();
    await page.getByText(role, { exact: true }).waitFor();
    await context.close();
  }
});

test('groups that are not mapped give nothing, and the page says so', async () => {
  const { context, page } = await visitor();
  await signIn(page, 'mallory');
  await alert(page, 'You have no right at this gate');
  assert.equal(await meOf(context), 401);
  assert(gate.journal().includes("none of the subject's groups is one of the gate's"));
  await context.close();
});

test('who cancels at the provider is not signed in', async () => {
  const { context, page } = await visitor();
  await choose(page, 'Corp');
  await page.getByText('[ Cancel ]').click();
  await alert(page, 'The sign-in was cancelled at Corp');
  assert.equal(await meOf(context), 401);
  await context.close();
});

test('a provider that is away says so, and is there again', async () => {
  const { context, page } = await visitor();
  await partners.leave();
  // What it said of itself is good for a minute; a page that is opened later asks anew.
  await until(
    'the gate finds out',
    async () => {
      await page.goto(`${gate.url}/sign-in`);
      await page.getByRole('button', { name: 'Sign in with Partners' }).waitFor();
      return page.getByText('It gives no answer at the moment.').isVisible();
    },
    90_000,
  );
  await page.getByRole('button', { name: 'Sign in with Partners' }).click();
  await alert(page, 'The sign-in with Partners could not begin');
  await partners.listen();
  await until('it is there again', async () => {
    await page.goto(`${gate.url}/sign-in`);
    await page.getByRole('button', { name: 'Sign in with Partners' }).waitFor();
    return !(await page.getByText('It gives no answer at the moment.').isVisible());
  });
  await page.getByRole('button', { name: 'Sign in with Partners' }).click();
  await signInThere(page, 'adam');
  await desktops(page);
  await context.close();
});

test('signing out ends it here and at the provider', async () => {
  const { context, page } = await visitor();
  await signIn(page, 'ursula');
  await desktops(page);
  await page.getByLabel('Account of ursula').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  assert.equal(page.url(), `${gate.url}/signed-out`);
  assert.equal(await meOf(context), 401);
  await page.getByRole('button', { name: 'Sign in with Corp' }).click();
  await page.getByPlaceholder('Enter any login').waitFor();
  await context.close();
});

test('who signs out at the provider is signed out here', async () => {
  const { context, page } = await visitor();
  const other = await visitor();
  await signIn(page, 'audrey');
  await desktops(page);
  await signIn(other.page, 'ursula');
  await desktops(other.page);
  await page.goto(`${corp.issuer}/session/end`);
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
  await until('the gate was told', async () => (await meOf(context)) === 401);
  await page.goto(`${gate.url}/recordings`);
  await page.getByRole('button', { name: 'Sign in with Corp' }).waitFor();
  assert.equal(await meOf(other.context), 200, 'nobody else is');
  await context.close();
  await other.context.close();
});

test('a provider may change its keys', async () => {
  const { context, page } = await visitor();
  corp.rotate();
  await signIn(page, 'ursula');
  await desktops(page);
  await context.close();
});

test('what comes back in another way than it was begun signs nobody in', async () => {
  const { context, page } = await visitor();
  await signIn(page, 'ursula');
  await desktops(page);
  await context.clearCookies({ name: 'portcullis' });
  const back = await caught(page);
  const address = new URL(back);
  assert(address.searchParams.get('iss') === corp.issuer, 'the provider says who it is');

  const other = await visitor();
  const tampered = new URL(back);
  tampered.searchParams.set('state', `A${address.searchParams.get('state').slice(1).split('').reverse().join('')}B`);
  await page.goto(tampered.href);
  await alert(page, 'It was begun in another browser');
  const again = await caught(page);
  await other.page.goto(again);
  await alert(other.page, 'It was begun in another browser');
  await page.goto(again);
  await alert(page, 'It was begun in another browser');

  const mixed = new URL(await caught(page));
  mixed.searchParams.set('iss', partners.issuer);
  await page.goto(mixed.href);
  await alert(page, 'What came back was not from Corp');
  const swapped = new URL(await caught(page));
  swapped.pathname = swapped.pathname.replace('/corp/', '/partners/');
  await page.goto(swapped.href);
  await alert(page, 'What came back was not from Partners');
  assert.equal(await meOf(context), 401);

  const good = await caught(page);
  await page.goto(good);
  await desktops(page);
  await page.goto(good);
  await alert(page, 'It was begun in another browser');
  assert.equal(await meOf(context), 200, 'a replay takes nothing away');
  await context.close();
  await other.context.close();
});

test('a sign-in leads to a page of the gate alone', async () => {
  const { context, page } = await visitor();
  for (const to of ['https://evil.example/', '//evil.example/', '/\\evil.example']) {
    const headers = { origin: gate.url };
    const data = { to };
    const answer = await context.request.post(`${gate.url}/api/sign-in/corp`, { headers, data });
    assert.equal(answer.status(), 400, to);
  }
  await choose(page, 'Corp', '/sign-in?to=//evil.example/');
  await signInThere(page, 'ursula');
  await desktops(page);
  assert.equal(page.url(), `${gate.url}/`);
  await context.close();
});

test('a local account signs in by its password', async () => {
  const { context, page } = await visitor();
  const said = await accounts(['add', 'lotte', '--groups', 'users,auditors'], `${PASSWORD}\n`);
  assert.equal(said.code, 0, said.words);
  assert.equal((await accounts(['add', 'kurt', '--groups', 'users'], 'password1234\n')).code, 2);
  await page.goto(`${gate.url}/recordings`);
  await page.getByLabel('Name').fill('lotte');
  await page.getByLabel('Password').fill('wrong horse battery');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await alert(page, 'Name and password do not fit');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Recordings', exact: true }).waitFor();
  await page.getByLabel('Account of lotte').click();
  await page.getByText('Account of this gate', { exact: true }).waitFor();
  assert.match((await accounts(['list'])).words, /^lotte\tusers,auditors\t/m);
  assert.equal((await accounts(['password', 'lotte'], 'another horse battery\n')).code, 0);
  assert.equal(await meOf(context), 401, 'another password ends the sign-in');
  assert.equal((await accounts(['remove', 'lotte'])).code, 0);
  for (const text of [gate.log(), gate.journal()]) assert(!text.includes('horse battery'));
  await context.close();
});

/** `portcullis accounts`: its exit code and what it printed. */
async function accounts(args, input = '') {
  const child = spawn(gate.program, ['accounts', ...args, '--data', gate.data], { stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (words += bytes));
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, words };
}
