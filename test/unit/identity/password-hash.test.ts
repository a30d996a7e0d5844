import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeMatch } from '../../../src/passwords/compute-match.ts';
import { parsePasswordHash } from '../../../src/phases/identity/basic/parse-password-hash.ts';
import { bcryptHash } from './basic-fixtures.ts';

const salt = 'cG9ydGN1bGxpcy1zYWx0IQ';
const tag = 'LHAUgsT6vs1oAzW08MH1sw5UUJxxlQanMzD3v3CZKwA';

/** Hashes that other programs made, and their passwords. */
const foreign: readonly (readonly [maker: string, text: string, password: string])[] = [
  ['bcrypt of Python', '$2b$04$DOksEIPz.zGjczzYNORslOAray6tp5mvbzEG3GSNpjyUYUGxt4HJW', 'grüße'],
  ['bcrypt as htpasswd names it', bcryptHash, 'open sesame'],
  ['bcrypt of the first kind', bcryptHash.replace('$2y$', '$2a$'), 'open sesame'],
  [
    'argon2-cffi',
    '$argon2id$v=19$m=256,t=1,p=2$hmoucbR/rU8tzegpiVH0gw$cwQl6nruwCNyeie2CkobvdclEm7tccc+kG5/d/F4/NE',
    'grüße',
  ],
  ['argon2i', `$argon2i$v=19$m=64,t=1,p=1$${salt}$WVn3qHpSwq0h5NJhyLCUOGRxm1E1L2C7NyxjCsIJFQg`, 'pass:word'],
  ['argon2d', `$argon2d$v=19$m=64,t=1,p=1$${salt}$tUPNhgSfRanPqlICbCE/exPsD0lzm8H62nC7xx1xrt8`, 'pass:word'],
  [
    'scrypt of passlib',
    '$scrypt$ln=6,r=8,p=1$mLNWivE+R4gRAqA0xpizNg$i1P3ViT/u4apizuNMSAl5m6yLZTl+5cxozOagmDoGFs',
    'grüße',
  ],
];

function partsOf(text: string) {
  const parsed = parsePasswordHash(text);
  if ('refused' in parsed) throw new Error(parsed.refused);
  return parsed;
}

describe('the hashes of other programs', () => {
  test.each(foreign)('%s', (_maker, text, password) => {
    const { hash } = partsOf(text);
    expect(computeMatch(hash, password)).toBe(true);
    expect(computeMatch(hash, `${password}!`)).toBe(false);
    expect(computeMatch(hash, '')).toBe(false);
  });
});

describe('what is refused, in words that hold nothing of it', () => {
  const argon2 = (list: string, end = `$${salt}$${tag}`, head = '$argon2id$v=19') => `${head}$${list}${end}`;
  test.each([
    ['$apr1$c0eJBLfd$v8pVQIUqmZ4VZRQraXWLu1', 'an MD5 hash, which is no protection'],
    ['$1$c0eJBLfd$v8pVQIUqmZ4VZRQraXWLu1', 'an MD5 hash, which is no protection'],
    ['{SHA}wCa8SCxS1gLvyQ+oHOEOQMVev9U=', 'a SHA-1 hash, which is no protection'],
    ['{SSHA}wCa8SCxS1gLvyQ+oHOEOQMVev9U=', 'a SHA-1 hash, which is no protection'],
    ['$6$rounds=1000$nMSl4XmQC0ZKm.sU$TFqrujmsExHodzZccjiQ6K', 'a SHA-crypt hash'],
    ['$5$nMSl4XmQC0ZKm.sU$TFqrujmsExHodzZccjiQ6K', 'a SHA-crypt hash'],
    ['IApxcCz38rtVY', 'neither a bcrypt, an argon2 nor a scrypt hash'],
    ['plain', 'neither a bcrypt, an argon2 nor a scrypt hash'],
    ['', 'neither a bcrypt, an argon2 nor a scrypt hash'],
    [bcryptHash.replace('$2y$', '$2x$'), 'a bcrypt hash of a faulty version'],
    [bcryptHash.replace('$2y$', '$2$'), 'a bcrypt hash of a faulty version'],
    [bcryptHash.slice(0, -1), 'a bcrypt hash that is not whole'],
    [`${bcryptHash}x`, 'a bcrypt hash that is not whole'],
    [bcryptHash.replace('$04$', '$03$'), 'a bcrypt hash whose cost is not within 4 and 14'],
    [bcryptHash.replace('$04$', '$15$'), 'a bcrypt hash whose cost is not within 4 and 14'],
    [bcryptHash.replace('$04$', '$31$'), 'a bcrypt hash whose cost is not within 4 and 14'],
    [argon2('m=64,t=1,p=1', undefined, '$argon2id$v=16'), 'an argon2 hash of another version than 19'],
    [argon2('m=64,t=1,p=1', undefined, '$argon2id'), 'an argon2 hash of another version than 19'],
    [argon2('t=1,m=64,p=1'), 'an argon2 hash without m, t and p in this order'],
    [argon2('m=64,t=1'), 'an argon2 hash without m, t and p in this order'],
    [argon2('m=64,t=1,p=1,x=1'), 'an argon2 hash without m, t and p in this order'],
    [argon2('m=064,t=1,p=1'), 'an argon2 hash without m, t and p in this order'],
    [argon2('m=64,t=0,p=1'), /parameters that cannot be/],
    [argon2('m=15,t=1,p=2'), /parameters that cannot be/],
    [argon2('m=4096,t=1,p=17'), /parameters that cannot be/],
    [argon2('m=131073,t=1,p=1'), /asks for too much/],
    [argon2('m=131072,t=3,p=1'), /asks for too much/],
    [argon2('m=64,t=999999999,p=1'), /asks for too much/],
    [argon2('m=64,t=1,p=1', `$c2FsdA$${tag}`), 'an argon2 hash whose salt is not of 8 to 64 bytes in base64'],
    [argon2('m=64,t=1,p=1', `$${salt}$c2FsdA`), 'an argon2 hash that is not of 16 to 64 bytes in base64'],
    [argon2('m=64,t=1,p=1', `$${salt}$${tag.slice(0, -1)}B`), 'an argon2 hash that is not of 16 to 64 bytes in base64'],
    [argon2('m=64,t=1,p=1', `$${salt}$${tag}=`), 'an argon2 or scrypt hash that is not in the PHC form'],
    [`$scrypt$ln=18,r=8,p=1$${salt}$${tag}`, /asks for too much/],
    [`$scrypt$ln=17,r=8,p=2$${salt}$${tag}`, /asks for too much/],
    [`$scrypt$ln=999999999,r=1,p=1$${salt}$${tag}`, /asks for too much/],
    [`$scrypt$ln=0,r=8,p=1$${salt}$${tag}`, /parameters that cannot be/],
    [`$scrypt$n=16,r=8,p=1$${salt}$${tag}`, 'a scrypt hash without ln, r and p in this order'],
    [`$scrypt$v=1$ln=4,r=8,p=1$${salt}$${tag}`, 'a scrypt hash with a version'],
  ] as const)('%s', (text, why) => {
    const parsed = parsePasswordHash(text);
    expect('refused' in parsed ? parsed.refused : 'taken').toEqual(
      typeof why === 'string' ? why : expect.stringMatching(why),
    );
  });

  test('the largest that is taken', () => {
    const taken = [
      bcryptHash.replace('$04$', '$14$'),
      argon2('m=131072,t=2,p=16'),
      argon2('m=65536,t=3,p=4'),
      `$scrypt$ln=17,r=8,p=1$${salt}$${tag}`,
    ];
    expect(taken.map((text) => partsOf(text).weak)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('what is weak is taken and said', () => {
    const weak = [
      bcryptHash.replace('$04$', '$09$'),
      argon2('m=65536,t=1,p=4').replace('65536', '7167'),
      argon2('m=19456,t=1,p=1'),
      `$scrypt$ln=13,r=8,p=1$${salt}$${tag}`,
    ];
    expect(weak.map((text) => partsOf(text).weak)).toEqual([
      'bcrypt with a cost below 10',
      'argon2 with less than m=19456,t=2 or its like',
      'argon2 with less than m=19456,t=2 or its like',
      'scrypt with less than ln=14,r=8,p=1 or its like',
    ]);
    const strong = [
      bcryptHash.replace('$04$', '$10$'),
      argon2('m=19456,t=2,p=1'),
      argon2('m=7168,t=5,p=1'),
      `$scrypt$ln=14,r=8,p=1$${salt}$${tag}`,
    ];
    expect(strong.map((text) => partsOf(text).weak)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('no text makes it throw, and no words hold a part of the text', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('$', '$2b$', '10', '$argon2id$', 'v=19', '$scrypt$', 'ln=4,r=8,p=1', 'm=64,t=1,p=1', salt, tag),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const parsed = parsePasswordHash(`canary4711${pieces.join('')}`);
        expect(JSON.stringify(parsed)).not.toContain('canary4711');
        parsePasswordHash(pieces.join(''));
      }),
      { numRuns: 500 },
    );
  });
});
