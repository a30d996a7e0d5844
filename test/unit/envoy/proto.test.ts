import { loadSync } from '@grpc/proto-loader';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checkRequestFields, mapEntryFields } from '../../../src/envoy/check-request-fields.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));
const ownFolder = path('proto');
const envoyFolder = path('node_modules/@grpc/grpc-js-xds/deps');
const envoyDirs = ['envoy-api', 'xds', 'googleapis', 'protoc-gen-validate'].map((dir) => `${envoyFolder}/${dir}`);

const ownFiles = readdirSync(ownFolder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.proto'),
);
const comparedFiles = ownFiles.filter((file) => !file.startsWith('grpc/health'));

/** What Envoy has and the package, older than it, does not (envoy/service/auth/v3/external_auth.proto since Envoy 1.37). */
const newerThanThePackage = [
  'envoy.service.auth.v3.CheckResponse.error_response = 5 LABEL_OPTIONAL TYPE_MESSAGE envoy.service.auth.v3.DeniedHttpResponse',
];

interface Descriptor {
  readonly name: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly Descriptor[];
  readonly enumType?: readonly Descriptor[];
  readonly value?: readonly { readonly name: string; readonly number: number }[];
}
interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

/** Every method, field and enum value of the files, and of what they import, one a line. */
function facts(files: readonly string[], includeDirs: readonly string[]): ReadonlySet<string> {
  const lines = new Set<string>();
  const loaded = loadSync([...files], { includeDirs: [...includeDirs], keepCase: true });
  const names = new Set<string>();
  const visits: (() => void)[] = [];
  for (const [name, definition] of Object.entries(loaded)) {
    if ('format' in definition) {
      const descriptor = definition.type as Descriptor;
      visit(descriptor, name.slice(0, -descriptor.name.length), names, lines, visits);
      continue;
    }
    for (const [method, { path, requestStream, responseStream, requestType, responseType }] of Object.entries(
      definition,
    )) {
      const types = [requestType, responseType].map(({ type }) => (type as Descriptor).name).join(' ');
      lines.add(`${name}.${method} ${path} ${String(requestStream)} ${String(responseStream)} ${types}`);
    }
  }
  for (const describeFields of visits) describeFields();
  return lines;
}

/** Gathers names now and describes fields later, when all names are known. */
function visit(
  descriptor: Descriptor,
  prefix: string,
  names: Set<string>,
  lines: Set<string>,
  later: (() => void)[],
): void {
  const name = prefix + descriptor.name;
  names.add(name);
  for (const entry of descriptor.value ?? []) lines.add(`${name}.${entry.name} = ${entry.number}`);
  for (const nested of descriptor.nestedType ?? []) visit(nested, `${name}.`, names, lines, later);
  for (const nested of descriptor.enumType ?? []) visit(nested, `${name}.`, names, lines, later);
  later.push(() => {
    for (const { name: field, number, label, type, typeName } of descriptor.field ?? []) {
      const message = typeName === '' ? '' : ` ${resolve(typeName, name, names)}`;
      // The loader brings google/protobuf/struct.proto itself, with names in camel case.
      const written = name.startsWith('google.protobuf.') ? snakeCase(field) : field;
      lines.add(`${name}.${written} = ${number} ${label} ${type}${message}`);
    }
  });
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The whole name of a type that is named relative to a message. */
function resolve(typeName: string, message: string, names: ReadonlySet<string>): string {
  const scope = message.split('.');
  for (let depth = scope.length; depth >= 0; depth--) {
    const name = [...scope.slice(0, depth), typeName].join('.');
    if (names.has(name)) return name;
  }
  throw new Error(`${typeName} of ${message} is not among the names`);
}

describe('proto/', () => {
  const own = facts(comparedFiles, [ownFolder]);
  const envoy = facts(comparedFiles, envoyDirs);

  test('is read whole', () => {
    expect(own).toContain(
      'envoy.service.auth.v3.AttributeContext.context_extensions = 10 LABEL_REPEATED TYPE_MESSAGE envoy.service.auth.v3.AttributeContext.Context_extensions',
    );
    expect(own.size).toBeGreaterThan(80);
    expect([...own].filter((line) => line.includes('undefined'))).toEqual([]);
  });

  test('has each message, field, number, label and type as Envoy has it', () => {
    expect([...own].filter((line) => !envoy.has(line)).sort()).toEqual(newerThanThePackage);
  });
});

/** Members of a oneof that are not read: that they are there ends the others. Their tags are written down where that is done. */
const endsAnother = /Value\.(?:null|number|bool)_value = /;

test('health.proto is what the gRPC health checking protocol says', () => {
  const status = 'grpc.health.v1.HealthCheckResponse.ServingStatus';
  expect([...facts(['grpc/health/v1/health.proto'], [ownFolder])].sort()).toEqual([
    'grpc.health.v1.Health.Check /grpc.health.v1.Health/Check false false HealthCheckRequest HealthCheckResponse',
    'grpc.health.v1.Health.Watch /grpc.health.v1.Health/Watch false true HealthCheckRequest HealthCheckResponse',
    'grpc.health.v1.HealthCheckRequest.service = 1 LABEL_OPTIONAL TYPE_STRING',
    `grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING = 2`,
    `grpc.health.v1.HealthCheckResponse.ServingStatus.SERVICE_UNKNOWN = 3`,
    `grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING = 1`,
    `grpc.health.v1.HealthCheckResponse.ServingStatus.UNKNOWN = 0`,
    `grpc.health.v1.HealthCheckResponse.status = 1 LABEL_OPTIONAL TYPE_ENUM ${status}`,
  ]);
});

test('the view that the decoder is held against has the fields of a CheckRequest under their own numbers', () => {
  /** Which message of Envoy's each message of the view reads. */
  const reads = new Map([
    ['portcullis.CheckView', 'envoy.service.auth.v3.CheckRequest'],
    ['portcullis.CheckView.Attributes', 'envoy.service.auth.v3.AttributeContext'],
    ['portcullis.CheckView.Peer', 'envoy.service.auth.v3.AttributeContext.Peer'],
    ['portcullis.CheckView.Address', 'envoy.config.core.v3.Address'],
    ['portcullis.CheckView.SocketAddress', 'envoy.config.core.v3.SocketAddress'],
    ['portcullis.CheckView.Pipe', 'envoy.config.core.v3.Pipe'],
    ['portcullis.CheckView.EnvoyInternalAddress', 'envoy.config.core.v3.EnvoyInternalAddress'],
    ['portcullis.CheckView.Request', 'envoy.service.auth.v3.AttributeContext.Request'],
    ['portcullis.CheckView.HttpRequest', 'envoy.service.auth.v3.AttributeContext.HttpRequest'],
    ['portcullis.CheckView.HeaderMap', 'envoy.config.core.v3.HeaderMap'],
    ['portcullis.CheckView.HeaderValue', 'envoy.config.core.v3.HeaderValue'],
    ['portcullis.CheckView.Metadata', 'envoy.config.core.v3.Metadata'],
    ['portcullis.CheckView.MetadataEntry', 'envoy.config.core.v3.Metadata.Filter_metadata'],
    ['portcullis.CheckView.Struct', 'google.protobuf.Struct'],
    ['portcullis.CheckView.FieldEntry', 'google.protobuf.Struct.Fields'],
    ['portcullis.CheckView.Value', 'google.protobuf.Value'],
    ['portcullis.CheckView.ListValue', 'google.protobuf.ListValue'],
  ]);
  const entry = 'portcullis.CheckView.Entry';
  /** The loader gives the entries of a map the field's name. */
  const mapEntries = [
    'envoy.service.auth.v3.AttributeContext.Context_extensions',
    'envoy.service.auth.v3.AttributeContext.HttpRequest.Headers',
  ];
  const translated = (line: string, messages: ReadonlyMap<string, string>): string =>
    line.replaceAll(/(?<=^|\s)[\w.]+\.[A-Z]\w+(?=\.[a-z]\w* =|$)/g, (name) => messages.get(name) ?? name);
  const entries = new Map(mapEntries.map((name) => [name, entry]));
  const envoyFacts = facts(['envoy/service/auth/v3/external_auth.proto'], envoyDirs);
  const envoy = new Set([...envoyFacts].map((line) => translated(line, entries)));
  const view = [...facts(['check_view.proto'], [path('test/support')])].map((line) => translated(line, reads));
  expect(view).toContain(
    `envoy.service.auth.v3.AttributeContext.HttpRequest.headers = 3 LABEL_REPEATED TYPE_MESSAGE ${entry}`,
  );
  expect(view).toContain(`${entry}.value = 2 LABEL_OPTIONAL TYPE_STRING`);
  expect(view.filter((line) => !endsAnother.test(line) && !envoy.has(line))).toEqual([]);
});

describe('the decoder reads', () => {
  const messages = {
    ...checkRequestFields,
    // The loader gives the entries of a map the field's name.
    'envoy.service.auth.v3.AttributeContext.Context_extensions': mapEntryFields,
    'envoy.service.auth.v3.AttributeContext.HttpRequest.Headers': mapEntryFields,
    'envoy.config.core.v3.Metadata.Filter_metadata': mapEntryFields,
    'google.protobuf.Struct.Fields': mapEntryFields,
  };
  const fields = Object.entries(messages).flatMap(([message, numbers]) =>
    Object.entries(numbers).map(([field, number]) => `${message}.${field} = ${number} `),
  );
  /** Types that are written with their length: what the decoder takes every field for. */
  const lengthDelimited = / TYPE_(?:STRING|BYTES|MESSAGE)\b/;
  const isIn = (facts: ReadonlySet<string>, field: string): boolean =>
    [...facts].some((line) => line.startsWith(field) && lengthDelimited.test(line));

  test.each([
    ['of ours', facts(['envoy/service/auth/v3/external_auth.proto'], [ownFolder])],
    ["of Envoy's", facts(['envoy/service/auth/v3/external_auth.proto'], envoyDirs)],
  ])('its fields under the names and numbers of the definitions %s', (_, definitions) => {
    expect(fields).toContain('envoy.service.auth.v3.AttributeContext.HttpRequest.header_map = 13 ');
    expect(fields.filter((field) => !isIn(definitions, field))).toEqual([]);
  });

  test('and these are the fields of the view, no more and no less', () => {
    const view = [...facts(['check_view.proto'], [path('test/support')])];
    const ofView = view
      .filter((line) => !endsAnother.test(line))
      .map((line) => line.replace(/^.*?(\w+ = \d+) LABEL.*$/, '$1'))
      .sort();
    const ofDecoder = [...Object.values(checkRequestFields), ...[1, 2, 3].map(() => mapEntryFields)].flatMap(
      (numbers) => Object.entries(numbers).map(([field, number]) => `${field} = ${number}`),
    );
    expect(ofDecoder.sort()).toEqual(ofView);
  });
});
