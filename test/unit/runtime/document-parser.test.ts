import { expect, it, vi } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { readMeta } from '../../../src/kubernetes/api-object.ts';
import { toClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import { parseDocument, type ParsedDocument } from '../../../src/policy/parse-document.ts';
import { parseOnce } from '../../../src/policy/parsed-elsewhere.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { createDocumentParser } from '../../../src/runtime/document-parser.ts';

const settings = { serviceNamespace: 'portcullis' };
const route = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'web' };
const refs = [{ kind: 'HTTPRoute', namespace: 'shop', name: 'web' }];

function documentOf(paths: readonly string[], type = 'PathPrefix', conditions = 0): AuthorDocument {
  const when = Array.from({ length: conditions }, (_, i) => ({ expression: `request.path.matches('^/${i}+$')` }));
  const object: JsonObject = {
    apiVersion: 'portcullis.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name: 'orders', namespace: 'shop', uid: 'u', resourceVersion: '1', generation: 1 },
    spec: {
      targetRefs: [route],
      rules: paths.map((value, index) => ({
        name: `r${index}`,
        matches: [{ path: { type, value } }],
        ...(conditions === 0 ? { access: 'Public' } : { access: 'Denied', when }),
      })),
    },
  };
  return toClusterDocument(object, readMeta(object), 'AccessPolicy').document;
}

/** A thread that says what it was asked, and parses here. */
function fakeThread(asked: string[]): Parameters<typeof createDocumentParser>[0] {
  return {
    parse: async ({ source, problems, text }) => {
      asked.push(source);
      const placeOf = () => ({ source, line: undefined, column: undefined });
      return parseDocument({ value: JSON.parse(text), source, problems, placeOf }, settings);
    },
  };
}

it.each([
  ['a small document', documentOf(['/a']), 0],
  ['one with a regular expression', documentOf(['/a+'], 'RegularExpression'), 0],
  ['one with several', documentOf(['/a+', '/b+'], 'RegularExpression'), 1],
  ['one with an expression that matches', documentOf(['/a'], 'PathPrefix', 1), 0],
  ['one with several that do', documentOf(['/a'], 'PathPrefix', 2), 1],
  [
    'a large one',
    documentOf([`/${'a'.repeat(900)}`].concat(Array.from({ length: 20 }, (_, n) => `/${n}${'b'.repeat(900)}`))),
    1,
  ],
])('%s is parsed once for all who ask, in the thread where it takes long', async (_title, document, threads) => {
  const asked: string[] = [];
  const parser = createDocumentParser(fakeThread(asked), settings);
  const value = vi.spyOn(document, 'value', 'get');
  expect(parser.isHeavy(document)).toBe(threads === 1);
  if (threads === 1) await parser.parse(document);
  expect(parser.isHeavy(document)).toBe(false);
  expect(parser.referencesOf(document)).toEqual(refs);
  const reads = value.mock.calls.length;
  expect(reads > 0).toBe(threads === 0);
  expect(parser.referencesOf(document)).toEqual(refs);
  const parsed = parseOnce(document, settings);
  expect([parsed.kind, asked.length]).toEqual(['accepted', threads]);
  expect(parseOnce(document, settings)).toBe(parsed);
  expect(value).toHaveBeenCalledTimes(reads);
});

it('a document that the thread gives up is refused, and of a policy all requests of what it governs are denied (S4)', async () => {
  const failing = {
    parse: (): Promise<ParsedDocument> =>
      Promise.reject(new Failure('file_too_dear', 'the document cannot be read: it takes too long')),
  };
  const document = documentOf(['/a+', '/b+'], 'RegularExpression');
  const parser = createDocumentParser(failing, settings);
  await parser.parse(document);
  expect(parser.referencesOf(document)).toEqual(refs);
  const parsed = parseOnce(document, settings);
  expect(parsed).toMatchObject({
    kind: 'refused',
    key: 'AccessPolicy shop/orders',
    document: { policy: { targets: [{ kind: 'HTTPRoute', name: 'web' }], rules: 'every-request' } },
  });
  expect(parsed.problems.map(({ code, message }) => [code, message])).toEqual([
    ['too-large', 'the document cannot be read: it takes too long'],
  ]);
});

it('a document that nobody waits for denies what it governs, until it is read', () => {
  const parser = createDocumentParser(fakeThread([]), settings);
  const unread = parser.unread(documentOf(['/a+', '/b+'], 'RegularExpression'));
  expect(parser.isHeavy(unread)).toBe(false);
  expect(parser.referencesOf(unread)).toEqual(refs);
  const parsed = parseOnce(unread, settings);
  expect(parsed).toMatchObject({
    kind: 'refused',
    key: 'AccessPolicy shop/orders',
    document: { policy: { targets: [{ kind: 'HTTPRoute', name: 'web' }], rules: 'every-request' } },
  });
  expect(parsed.problems.map(({ code }) => code)).toEqual(['unread']);
});
