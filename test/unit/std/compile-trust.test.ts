import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/std/x509/certificate.ts';
import { compileTrust } from '../../../src/std/x509/compile-trust.ts';
import { readPemBlocks } from '../../../src/std/x509/pem-blocks.ts';
import { der, extension } from '../../support/certificates.ts';
import { createClientAuthority, ecKeys } from '../../support/client-certificates.ts';

const now = Date.UTC(2027, 0, 15);
const hour = 3_600_000;
const root = createClientAuthority(now, { name: 'root' });
const middle = root.below({ name: 'middle' });
const leaf = middle.issue({ name: 'client' });
const serialOf = (der: Buffer): string => parseCertificate(der)?.serial ?? '';

function judge(bundle: string, list?: string, client: Buffer = leaf.der): readonly [string, readonly string[]] {
  const trust = compileTrust(bundle, list === undefined ? undefined : { text: list });
  const certificate = parseCertificate(client);
  if (certificate === undefined) throw new Error('the certificate of the test cannot be read');
  const verdict = trust.judge(certificate, now);
  return [verdict.kind === 'trusted' ? 'trusted' : verdict.why, trust.problems];
}

/** One character of the body that is none of base64. */
function damaged(pem: string): string {
  return pem.replace(/\n(.{20})./, '\n$1*');
}

const damages: readonly (readonly [string, (pem: string) => string])[] = [
  ['has a character that is none of base64', damaged],
  ['is cut off', (pem) => `${pem.slice(0, 200)}\n`],
  ['has lost its beginning', (pem) => pem.slice(40)],
  ['begins with four dashes', (pem) => pem.slice(1)],
  ['ends as something else', (pem) => pem.replace('END CERTIFICATE', 'END CERT').replace('END X509 CRL', 'END CRL')],
  ['has another label', (pem) => pem.replaceAll(/(BEGIN|END) /g, '$1 TRUSTED ')],
];

describe('a bundle of authorities', () => {
  test('that is whole is trusted (control)', () => {
    expect(judge(middle.certificate + root.certificate)).toEqual(['trusted', []]);
    expect(judge(`a text\n${middle.certificate}another\n${root.certificate}`)).toEqual(['trusted', []]);
    expect(judge(middle.certificate + root.revoke([]))).toEqual(['trusted', []]);
  });

  test.each(damages)(
    'of which a block %s makes no end of trust of what stands below, and says so',
    (_title, change) => {
      expect(judge(middle.certificate + change(root.certificate))).toEqual([
        'untrusted',
        ['a PEM block is damaged or of another kind'],
      ]);
      expect(judge(middle.certificate + root.certificate + change(createClientAuthority(now).certificate))).toEqual([
        'trusted',
        ['a PEM block is damaged or of another kind'],
      ]);
    },
  );

  test('is read in linear time, whatever it is', () => {
    const started = performance.now();
    for (const text of ['-', '--', '-----BEGIN', '-- \t', '-----BEGIN CERTIFICATE-----\n', '-----BEGIN A'])
      readPemBlocks(text.repeat(1_000_000 / text.length), 'CERTIFICATE');
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('lists of revoked certificates', () => {
  const older = middle.revoke([], { thisUpdate: now - 2 * hour });
  const newer = middle.revoke([leaf.serial], { thisUpdate: now - hour });
  const bundle = middle.certificate + root.certificate;
  const unreadable = 'a PEM block is damaged or of another kind, so that nobody is known not to be revoked';
  const left = (why: string): string => `revocation list 2 is left out: it ${why}`;

  test('of which the newest revokes, refuse (control)', () => {
    expect(judge(bundle, older + newer)).toEqual(['revoked', []]);
    expect(judge(bundle, newer + older)).toEqual(['revoked', []]);
    expect(judge(bundle, older)).toEqual(['trusted', []]);
  });

  test.each(damages)('of which the newest %s: no older one takes its place', (_title, change) => {
    expect(judge(bundle, older + change(newer))).toEqual(['revocation-unknown', [unreadable]]);
    expect(judge(bundle, change(newer) + older)).toEqual(['revocation-unknown', [unreadable]]);
  });

  const critical = extension('2a0304', true, der(0x04, Buffer.of(1)));
  test.each([
    [
      'says something critical that nobody knows',
      middle.revoke([], { extensions: [critical] }),
      'cannot be read, is signed weakly, or does not hold all that is revoked',
    ],
    [
      'is signed with another key',
      middle.revoke([leaf.serial], { signWith: ecKeys() }),
      'is not signed with the key of its authority',
    ],
  ])('of which one %s: its issuer is not known to have revoked nobody, others are', (_title, list, why) => {
    expect(judge(bundle, older + list)).toEqual(['revocation-unknown', [left(why)]]);
    const own = root.issue({ name: 'of the root' });
    expect(judge(bundle, root.revoke([]) + list, own.der)).toEqual(['trusted', [left(why)]]);
  });

  test('that only tell changes, or are older than a good one, or of somebody else, leave what is known', () => {
    const delta = extension('551d1b', true, der(0x02, Buffer.of(1)));
    const past = middle.revoke([], { thisUpdate: now - 3 * hour, signWith: ecKeys() });
    expect(judge(bundle, older + middle.revoke([], { extensions: [delta] }))[0]).toBe('trusted');
    expect(judge(bundle, older + past)[0]).toBe('trusted');
    expect(judge(bundle, older + createClientAuthority(now, { name: 'another' }).revoke([]))).toEqual([
      'trusted',
      [left('is of no authority that is trusted')],
    ]);
  });

  test('more than there may be leave nobody known', () => {
    expect(judge(bundle, older.repeat(100))[0]).toBe('trusted');
    expect(judge(bundle, older.repeat(101))[0]).toBe('revocation-unknown');
  });
});

describe('one key under two roots', () => {
  const [rootA, rootB] = [
    createClientAuthority(now, { name: 'root A' }),
    createClientAuthority(now, { name: 'root B' }),
  ];
  const keys = ecKeys();
  const [viaA, viaB] = [rootA.below({ name: 'middle', keys }), rootB.below({ name: 'middle', keys })];
  const client = viaA.issue({ name: 'client' }).der;
  const roots = rootA.certificate + rootB.certificate;
  const orders = [
    ['first', viaA.certificate + viaB.certificate + roots],
    ['last', viaB.certificate + viaA.certificate + roots],
  ] as const;

  test.each(orders)('what is revoked on the path that stands %s is not made good by the other', (_title, bundle) => {
    expect(judge(bundle, rootA.revoke([serialOf(viaA.der)]) + viaA.revoke([]), client)).toEqual(['revoked', []]);
    expect(judge(bundle, rootA.revoke([], { nextUpdate: now - 1 }) + viaA.revoke([]), client)).toEqual([
      'revocation-unknown',
      [],
    ]);
    expect(judge(bundle, rootA.revoke([]) + viaA.revoke([]), client)).toEqual(['trusted', []]);
  });

  test.each(['first', 'last'])('a path that has ended and stands %s leaves the other', (place) => {
    const ended = rootA.below({ name: 'middle', keys, to: now - 1 }).certificate;
    const bundle = place === 'first' ? ended + viaB.certificate + roots : viaB.certificate + ended + roots;
    expect(judge(bundle, viaB.revoke([]), client)).toEqual(['trusted', []]);
    expect(judge(ended + roots, viaB.revoke([]), client)).toEqual(['expired', []]);
  });
});
