import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HttpResponse } from '../../../src/core/ports.ts';
import { audience, ecKey, encode, issuer, signText, startSeconds } from './identity-fixtures.ts';
import { clientId, clientMaterial, goodAnswer, introspectionWorld } from './introspection-fixtures.ts';

const world = introspectionWorld({ cacheTtl: 0 });
const signedWorld = introspectionWorld({ cacheTtl: 0, signedAnswers: true }, clientMaterial());

/** The verdict of a provider that never stays away from its endpoint: each run is to be an answer. */
async function judgeAnswer(response: HttpResponse, on = world): Promise<string> {
  on.answer(response);
  await on.time.advance(40_000);
  return on.judge();
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
);

test('whatever the bytes are, an answer that was not made to allow does not', async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom(200, 200, 200, 204, 400, 500), async (body, status) => {
      const contentType = 'application/json';
      expect(await judgeAnswer({ status, contentType, body })).not.toBe('allow');
    }),
    { numRuns: 300 },
  );
});

test('only one content type is that of JSON', async () => {
  const body = Buffer.from(JSON.stringify(goodAnswer()));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.constant('application/json')), async (contentType) => {
      const isJson = contentType.split(';')[0]?.trim().toLowerCase() === 'application/json';
      const end = startSeconds + 10_000_000;
      const long = Buffer.from(JSON.stringify(goodAnswer({ exp: end })));
      expect((await judgeAnswer({ status: 200, contentType, body: long })) === 'allow').toBe(isJson);
      expect(body.length).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
});

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(true, 'true', 1, issuer, audience, [audience], 'Bearer'),
);
const name = fc.constantFrom(
  'active',
  'iss',
  'aud',
  'exp',
  'nbf',
  'iat',
  'sub',
  'cnf',
  'token_type',
  'typ',
  'events',
  '__proto__',
);

test('members of any kind end in a verdict, and allow only where active is true, issuer and audience are right and there is an end to come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 4 }), async (changes) => {
      const answer: Record<string, unknown> = { ...goodAnswer({ exp: startSeconds + 1e9 }), ...changes };
      const body = Buffer.from(JSON.stringify(answer));
      const code = await judgeAnswer({ status: 200, contentType: 'application/json', body });
      if (code !== 'allow') return;
      const { active, iss, aud, exp, cnf } = answer;
      expect([active, iss, [aud].flat().includes(audience), cnf]).toEqual([true, issuer, true, undefined]);
      expect(typeof exp === 'number' && exp > startSeconds).toBe(true);
    }),
    { numRuns: 400 },
  );
});

test('a good answer with changed characters allows only where it still says what counts', async () => {
  const good = JSON.stringify(goodAnswer({ exp: startSeconds + 1e9 }));
  const contentType = 'application/json';
  expect(await judgeAnswer({ status: 200, contentType, body: Buffer.from(good) })).toBe('allow');
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.string({ maxLength: 2 }), fc.nat(2), async (at, put, taken) => {
      const text = good.slice(0, at) + put + good.slice(at + taken);
      if ((await judgeAnswer({ status: 200, contentType, body: Buffer.from(text) })) !== 'allow') return;
      expect(JSON.parse(text)).toMatchObject({ active: true, iss: issuer, aud: audience });
    }),
    { numRuns: 300 },
  );
});

test('whatever a signed answer is, it is none without a signature', async () => {
  const part = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.json().map(encode),
    fc.constant(encode(JSON.stringify(goodAnswer()))),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(text, async (body) => {
      const response = { status: 200, contentType: 'application/token-introspection+jwt', body: Buffer.from(body) };
      expect(await judgeAnswer(response, signedWorld)).toBe('introspection_unavailable');
    }),
    { numRuns: 200 },
  );
  signedWorld.provider().close();
});

test('a signed answer with one changed character is none', async () => {
  const key = ecKey('k1');
  const on = introspectionWorld({ cacheTtl: 0, signedAnswers: true }, clientMaterial(), [key]);
  const far = startSeconds + 1e9;
  const answer = (): string => {
    const claims = {
      iss: issuer,
      aud: clientId,
      iat: on.ports.clock.now() / 1000,
      token_introspection: goodAnswer({ exp: far }),
    };
    return signText(
      JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'token-introspection+jwt' }),
      JSON.stringify(claims),
      key,
    );
  };
  const contentType = 'application/token-introspection+jwt';
  const judged = async (change: (good: string) => string): Promise<string> => {
    await on.time.advance(40_000);
    on.answer({ status: 200, contentType, body: Buffer.from(change(answer())) });
    return on.judge();
  };
  expect(await judged((good) => good)).toBe('allow');
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.string({ unit: 'binary-ascii', maxLength: 2 }), async (position, put) => {
      const change = (good: string): string => {
        const at = position % good.length;
        const changed = good.slice(0, at) + put + good.slice(at + 1);
        // White space around it is none of the answer.
        fc.pre(changed.trim() !== good);
        return changed;
      };
      expect(await judged(change)).toBe('introspection_unavailable');
    }),
    { numRuns: 200 },
  );
  on.provider().close();
});

test('whatever the token is, it is asked about as it is or not at all', async () => {
  const on = introspectionWorld({ cacheTtl: 0 });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 })),
      async (token) => {
        const before = on.http.sent.length;
        await on.judge(token);
        const [sent] = on.http.sent.slice(before);
        const isVisible = /^[\x21-\x7e]+$/.test(token);
        expect(sent === undefined).toBe(!isVisible);
        if (sent !== undefined) expect(new URLSearchParams(sent.request.body).getAll('token')).toEqual([token]);
      },
    ),
    { numRuns: 300 },
  );
});
