import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { allow, denial, deny, type Decision, type DecisionAbout } from '../../../src/core/decision.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { createCheckResponseEncoder, encodeDecision } from '../../../src/envoy/encode-check-response.ts';
import { encodeStruct, lengthDelimited } from '../../../src/envoy/encode-struct.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import { about, decodeAnswer, unchanged } from './envoy-fixtures.ts';

const response = codecOf('envoy.service.auth.v3.CheckResponse');
const encoder = createCheckResponseEncoder();

/** A google.protobuf.Value as the loader shows it. */
interface Value {
  readonly nullValue?: number;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: Struct;
  readonly listValue?: { readonly values?: readonly Value[] };
}
interface Struct {
  readonly fields?: Readonly<Record<string, Value>>;
}

function jsonOf(struct: Struct | undefined): JsonObject {
  return Object.fromEntries(Object.entries(struct?.fields ?? {}).map(([name, value]) => [name, jsonOfValue(value)]));
}

function jsonOfValue(value: Value): JsonValue {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.numberValue !== undefined) return value.numberValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.structValue !== undefined) return jsonOf(value.structValue);
  if (value.listValue !== undefined) return (value.listValue.values ?? []).map(jsonOfValue);
  return null;
}

function metadataOf(decision: Decision): JsonObject {
  return jsonOf(decodeAnswer(encodeDecision(encoder, decision, '/')).dynamicMetadata);
}

describe('every answer carries', () => {
  test('the id, policy, rule, code and decision of an allow', () => {
    expect(metadataOf(allow(about, unchanged))).toEqual({
      decision_id: '0123-abc',
      policy: 'shop/orders',
      rule: 'read',
      code: 'ok',
      decision: 'allow',
    });
  });

  test('and of a deny, with its reason code, and empty texts where no policy decided', () => {
    const nobody: DecisionAbout = { ...about, policy: '', rule: '' };
    expect(metadataOf(deny(nobody, denial('no_policy')))).toEqual({
      decision_id: '0123-abc',
      policy: '',
      rule: '',
      code: 'no_policy',
      decision: 'deny',
    });
  });

  test('its own, however the decisions before it were like it', () => {
    const decisions = ['a', 'b', 'long'.repeat(60), 'ä', 'b', ''].flatMap((id) =>
      ['read', 'write'].flatMap((rule) => {
        const here: DecisionAbout = { ...about, id, rule };
        return [allow(here, unchanged), deny(here, denial('denied')), deny(here, denial('no_rule'))];
      }),
    );
    const expected = decisions.map((decision) => ({
      decision_id: decision.about.id,
      policy: 'shop/orders',
      rule: decision.about.rule,
      code: decision.kind === 'allow' ? 'ok' : decision.denial.code,
      decision: decision.kind,
    }));
    expect(decisions.map(metadataOf)).toEqual(expected);
    expect(decisions.map(metadataOf)).toEqual(expected);
  });

  test('what policies in shadow mode would have said, where there were any', () => {
    const verdicts = [
      { policy: 'shop/next', rule: 'all', code: 'role_missing' },
      { policy: 'shop/other', rule: '', code: 'ok' },
    ];
    const watched = (shadow: typeof verdicts): DecisionAbout => Object.assign({}, about, { shadow });
    expect(metadataOf(allow(watched(verdicts), unchanged))).toEqual({
      decision_id: '0123-abc',
      policy: 'shop/orders',
      rule: 'read',
      code: 'ok',
      decision: 'allow',
      shadow: verdicts,
    });
    expect(metadataOf(allow(watched([]), unchanged))).not.toHaveProperty('shadow');
  });

  test('no metadata within ok_response, which Envoy would take in place of the outer one', () => {
    const deps = fileURLToPath(new URL('../../../node_modules/@grpc/grpc-js-xds/deps', import.meta.url));
    const includeDirs = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((dir) => `${deps}/${dir}`);
    const whole = loadSync('envoy/service/auth/v3/external_auth.proto', { includeDirs });
    const theirs = whole['envoy.service.auth.v3.CheckResponse'] as MessageTypeDefinition<object, object>;
    const bytes = encodeDecision(encoder, allow(about, unchanged), '/');
    const { okResponse } = theirs.deserialize(Buffer.from(bytes)) as { okResponse?: object };
    expect(Object.keys(okResponse ?? {})).toEqual(['headersToRemove']);
  });
});

test('the status still comes first, for an allow and a deny', () => {
  const decisions = [allow(about, unchanged), deny(about, denial('token_expired'))];
  const starts = decisions.map((decision) => [...encodeDecision(encoder, decision, '/').subarray(0, 4)]);
  expect(starts).toEqual([
    [0x0a, 2, 8, 0],
    [0x0a, 2, 8, 16],
  ]);
});

test('any JSON is encoded as the loader reads it', () => {
  // The loader leaves members named __proto__ out.
  const key = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__');
  const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true }),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(key, tree, { maxKeys: 5, noNullPrototype: true }), (object) => {
      const bytes = lengthDelimited(0x22, encodeStruct(object));
      expect(jsonOf((response.decode(bytes) as { dynamicMetadata?: Struct }).dynamicMetadata)).toEqual(object);
    }),
  );
});

test('lengths beyond one byte are right, and text that is not valid Unicode is mended', () => {
  for (const length of [0, 100, 127, 128, 16_383, 16_384, 300_000]) {
    const object = { text: 'x'.repeat(length) };
    const bytes = lengthDelimited(0x22, encodeStruct(object));
    expect(jsonOf((response.decode(bytes) as { dynamicMetadata?: Struct }).dynamicMetadata)).toEqual(object);
  }
  const mended = response.decode(lengthDelimited(0x22, encodeStruct({ text: 'a\ud800' })));
  expect(mended).toEqual({ dynamicMetadata: { fields: { text: { stringValue: 'a\ufffd' } } } });
});
