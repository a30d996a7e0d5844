import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Problem } from '../../../src/core/problem.ts';
import type { ServiceStatus } from '../../../src/core/status.ts';
import { renderAdminPage } from '../../../src/runtime/admin-page.ts';
import { emptyStatus } from './runtime-fixtures.ts';

const evil = `<script>alert("1")</script>'&`;
const escaped = '&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;';
const problem: Problem = {
  code: 'unknown-field',
  severity: 'error',
  message: evil,
  field: 'spec',
  place: { source: evil, line: 3, column: 1 },
};
const status: ServiceStatus = {
  ready: true,
  revision: 4,
  lastReadAt: 1000,
  documents: [
    {
      key: 'AccessPolicy shop/good',
      kind: 'AccessPolicy',
      namespace: 'shop',
      name: 'good',
      accepted: true,
      serving: 'current',
      problems: [],
      version: undefined,
      servedGeneration: undefined,
      conflicts: [],
      targets: [],
      isUnrouted: false,
    },
    {
      key: evil,
      kind: 'AccessPolicy',
      namespace: 'shop',
      name: 'bad',
      accepted: false,
      serving: 'refused',
      problems: [problem],
      version: undefined,
      servedGeneration: undefined,
      conflicts: [
        { host: evil, owner: 'two' },
        { host: 'b.example', owner: undefined },
      ],
      targets: [],
      isUnrouted: false,
    },
  ],
  providers: [{ key: evil, keys: 2, keyAgeSeconds: 61.4, lastError: evil }],
  problems: [problem],
};

test('the page says what serves, what does not comes first', () => {
  const { body } = renderAdminPage(status, '1.2.3', 6000);
  const text = body.replaceAll(/<style>.*<\/style>|<[^>]+>/gs, ' ').replaceAll(/\s+/g, ' ');
  expect(text).toContain('Portcullis 1.2.3 ready , revision 4 , policies read 5 s ago.');
  expect(text.indexOf('nothing; denied with 503')).toBeLessThan(text.indexOf('AccessPolicy shop/good as written'));
  expect(text).toContain('2 61 s');
  expect(text).toContain('belongs to the namespace two');
  expect(text).toContain('the host b.example is granted to nobody');
});

test('everything that is not ours is escaped', () => {
  const { body } = renderAdminPage(status, '1.2.3', 6000);
  expect(body).not.toContain(evil);
  expect(body).not.toMatch(/<script/i);
  expect(body.split(escaped)).toHaveLength(9);
});

test('the page asks for nothing from outside, and its policy lets it do nothing but show its own style', () => {
  const { body, headers } = renderAdminPage(status, '1.2.3', 6000);
  const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(headers).toEqual({
    'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  });
  expect(body.match(/(?:src|href|url)\s*[=(]\s*"?[^">)]*/g)).toEqual(['href="/api/status']);
});

test('before anything is loaded it says so', () => {
  const { body } = renderAdminPage(emptyStatus, '1.2.3', 6000);
  expect(body).toContain('<b class="bad">not ready</b>');
  expect(body).toContain('policies read never.');
});

test('of very many documents it shows those that do not serve and how many more there are', () => {
  const [good, bad] = status.documents;
  if (good === undefined || bad === undefined) throw new Error('there are two');
  const { body } = renderAdminPage(
    { ...status, documents: [...Array.from({ length: 5000 }, () => good), bad] },
    '1',
    0,
  );
  expect(body).toContain('nothing; denied with 503');
  expect(body).toContain('And 4501 more.');
});

test('of workers it shows how many serve, and whether all serve by the last change', () => {
  const told = (workers: NonNullable<typeof status.workers>): string =>
    /<h2>Workers<\/h2>(.*)/.exec(renderAdminPage({ ...status, workers }, '1', 0).body)?.[1] ?? '';
  expect(told({ wanted: 2, serving: 2, sent: 7, inForce: 7 })).toBe(
    '<p><b class="good">2 of 2</b> serve; change 7 of the policies is in force at all of them.</p>',
  );
  expect(told({ wanted: 2, serving: 1, sent: 8, inForce: 7 })).toBe(
    '<p><b class="bad">1 of 2</b> serve; change 7 of the policies is in force at all of them, <b class="warn">8 is on its way</b>.</p>',
  );
  expect(renderAdminPage(status, '1', 0).body).not.toContain('Workers');
});
