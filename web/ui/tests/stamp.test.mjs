/** Time stamps of authorities that the openssl program plays: each kind of key, and each way in which nobody vouches for one. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { certificatesOf } from '../src/verify/stamp/certificate';
import { stampedAt } from '../src/verify/stamp/token';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-stamps-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name) => join(folder, name);
const openssl = (...words) =>
  execFileSync('openssl', words.join(' ').split(' '), { cwd: folder, stdio: 'pipe' });
const sealed = Buffer.from('a seal');
const imprint = createHash('sha256').update(sealed).digest('hex');

writeFileSync(at('seal'), sealed);
writeFileSync(
  at('tsa.cnf'),
  `[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign
[between]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nextendedKeyUsage=timeStamping
[stamps]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=critical,timeStamping
[foreign]\nextendedKeyUsage=critical,timeStamping\n1.2.3.4.5=critical,ASN1:NULL
[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha512\ndefault_policy=1.2.3.4\ndigests=sha256\ness_cert_id_alg=sha256\n`,
);

/** A key and a certificate of it by `issuer`, or by itself; `days` from now. */
function certificate(name, kind, extensions, issuer = name, days = 3650) {
  openssl(
    'req -config tsa.cnf -nodes -newkey',
    ...kind,
    `-subj /CN=${name} -keyout ${name}.key -out ${name}.csr`,
  );
  const by =
    issuer === name ? `-signkey ${name}.key` : `-CA ${issuer}.pem -CAkey ${issuer}.key -CAcreateserial`;
  openssl(
    `x509 -req -in ${name}.csr ${by} -sha512 -days ${days} -extfile tsa.cnf -extensions ${extensions} -out ${name}.pem`,
  );
}

/** The answer of a signer, with the certificates of others. */
function stamp(signer, chain = []) {
  const more = chain.map((name) => readFileSync(at(`${name}.pem`), 'utf8')).join('');
  writeFileSync(at('chain.pem'), more);
  openssl('ts -query -data seal -sha256 -cert -out q');
  const with_ = chain.length > 0 ? ['-chain chain.pem'] : [];
  openssl(
    `ts -reply -config tsa.cnf -queryfile q -signer ${signer}.pem -inkey ${signer}.key -out r`,
    ...with_,
  );
  return new Uint8Array(readFileSync(at('r')));
}

const authority = (name) => certificatesOf(readFileSync(at(`${name}.pem`), 'utf8'));
const curve = (name) => ['ec', '-pkeyopt', `ec_paramgen_curve:${name}`];
const now = () => BigInt(Date.now()) * 1000n;

describe('a time stamp', () => {
  it.each([
    ['rsa:2048', ['rsa:2048']],
    ['rsa:3072', ['rsa:3072']],
    ['p256', curve('P-256')],
    ['p384', curve('P-384')],
    ['p521', curve('P-521')],
  ])('by %s is one of the seal, and of nothing else', async (kind, key) => {
    const [root, signer] = [`root-${kind}`, `signer-${kind}`].map((name) => name.replace(':', ''));
    certificate(root, key, 'ca');
    certificate(signer, key, 'stamps', root);
    const response = stamp(signer);
    const stamped = await stampedAt(response, imprint, authority(root));
    expect(Number((now() - stamped) / 1_000_000n)).toBeLessThan(60);
    await expect(stampedAt(response, '0'.repeat(64), authority(root))).rejects.toThrow();
    for (const where of [20, response.length >> 1, response.length - 1]) {
      const changed = response.slice();
      changed[where] ^= 1;
      await expect(stampedAt(changed, imprint, authority(root)), `byte ${where}`).rejects.toThrow();
    }
    for (const shorter of [response.subarray(0, -1), new Uint8Array([...response, 0]), new Uint8Array()])
      await expect(stampedAt(shorter, imprint, authority(root))).rejects.toThrow();
  });

  it('leads by certificates in it to an authority', async () => {
    certificate('root', curve('P-256'), 'ca');
    certificate('between', curve('P-384'), 'between', 'root');
    certificate('signer', curve('P-256'), 'stamps', 'between');
    const whole = stamp('signer', ['between']);
    expect(await stampedAt(whole, imprint, authority('root'))).toBeGreaterThan(0n);
    expect(await stampedAt(whole, imprint, authority('between'))).toBeGreaterThan(0n);
    await expect(stampedAt(stamp('signer'), imprint, authority('root'))).rejects.toThrow();
    // Another authority of the same name.
    certificate('other', curve('P-256'), 'ca');
    openssl(
      'req -x509 -config tsa.cnf -extensions ca -nodes -days 3650 -subj /CN=root -keyout n.key -out namesake.pem -newkey',
      ...curve('P-256'),
    );
    for (const stranger of ['other', 'namesake'])
      await expect(stampedAt(whole, imprint, authority(stranger))).rejects.toThrow();
  });

  it('by who may not stamp time is none', async () => {
    certificate('issuer', curve('P-256'), 'ca');
    certificate('strange', curve('P-256'), 'foreign', 'issuer');
    await expect(stampedAt(stamp('strange'), imprint, authority('issuer'))).rejects.toThrow();
    certificate('proper', curve('P-256'), 'stamps', 'issuer');
    const response = stamp('proper');
    expect(await stampedAt(response, imprint, authority('issuer'))).toBeGreaterThan(0n);
    await expect(stampedAt(response, imprint, [])).rejects.toThrow();
  });
});
