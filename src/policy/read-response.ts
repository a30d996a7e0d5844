import { compileExpression } from '../expressions/compile-expression.ts';
import { describeInvalid } from './describe-invalid.ts';
import { isHeaderName, isHeaderValue, isProtocolHeader, twinForm } from '../std/http-headers.ts';
import type { DenialAnswerShape, ResponseShape, UpstreamShape } from './document-shape.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';
import type { DenialAnswerSpec, HeaderSpec, NamedHeader, ResponseSpec, UpstreamSpec } from './spec.ts';

/** Reads `upstream` of a policy or a rule; what is absent stays undefined so that a rule can inherit it. */
export function readUpstream(
  shape: UpstreamShape | undefined,
  at: FieldPath,
  problems: ProblemList,
): {
  readonly headers: readonly HeaderSpec[];
  readonly removeHeaders: readonly string[];
  readonly credential: 'Remove' | 'Keep' | undefined;
} {
  const headers = (shape?.headers ?? []).flatMap((header, index) => {
    const where = [...at, 'headers', index];
    const name = readName(header.name, [...where, 'name'], problems);
    const spec = readSource(name, header, where, problems);
    return spec ?? [];
  });
  checkDuplicates(headers, [...at, 'headers'], problems);
  const removeHeaders = (shape?.removeHeaders ?? []).map((name, index) =>
    readName(name, [...at, 'removeHeaders', index], problems),
  );
  return { headers, removeHeaders, credential: shape?.credential };
}

function readSource(
  name: string,
  header: { readonly value?: string; readonly expression?: string },
  at: FieldPath,
  problems: ProblemList,
): HeaderSpec | undefined {
  if ((header.value === undefined) === (header.expression === undefined)) {
    problems.error('invalid-value', at, `the header ${quote(name)} has exactly one of value and expression`);
    return undefined;
  }
  if (header.expression !== undefined) {
    const compiled = compileExpression(header.expression, 'header', problems.patterns);
    if (compiled.kind === 'expression') return { name, expression: header.expression };
    problems.error('invalid-expression', [...at, 'expression'], describeInvalid(header.expression, compiled));
    return undefined;
  }
  const value = header.value ?? '';
  checkValue(value, [...at, 'value'], problems);
  return { name, value };
}

/** Reads `response` of a policy or a rule. */
export function readResponse(shape: ResponseShape | undefined, at: FieldPath, problems: ProblemList): ResponseSpec {
  return {
    headers: readNamedHeaders(shape?.headers ?? [], [...at, 'headers'], problems),
    unauthenticated: readDenialAnswer(shape?.unauthenticated, [...at, 'unauthenticated'], problems),
    forbidden: readDenialAnswer(shape?.forbidden, [...at, 'forbidden'], problems),
  };
}

function readNamedHeaders(
  written: readonly NamedHeader[],
  at: FieldPath,
  problems: ProblemList,
): readonly NamedHeader[] {
  const headers = written.map((header, index) => {
    checkValue(header.value, [...at, index, 'value'], problems);
    return { name: readName(header.name, [...at, index, 'name'], problems), value: header.value };
  });
  checkDuplicates(headers, at, problems);
  return headers;
}

function readDenialAnswer(
  shape: DenialAnswerShape | undefined,
  at: FieldPath,
  problems: ProblemList,
): DenialAnswerSpec | undefined {
  if (shape === undefined) return undefined;
  const { status, body, contentType } = shape;
  if (contentType !== undefined) checkValue(contentType, [...at, 'contentType'], problems);
  if (contentType !== undefined && body === undefined) {
    problems.error('invalid-value', [...at, 'contentType'], 'contentType is for a body: write the body too');
  }
  return { status, body, contentType, headers: readNamedHeaders(shape.headers ?? [], [...at, 'headers'], problems) };
}

/** A rule's part over its policy's (S28). */
export function mergeResponse(policy: ResponseSpec, rule: ResponseSpec): ResponseSpec {
  return {
    headers: mergeByName(policy.headers, rule.headers),
    unauthenticated: mergeAnswer(policy.unauthenticated, rule.unauthenticated),
    forbidden: mergeAnswer(policy.forbidden, rule.forbidden),
  };
}

function mergeAnswer(
  policy: DenialAnswerSpec | undefined,
  rule: DenialAnswerSpec | undefined,
): DenialAnswerSpec | undefined {
  if (policy === undefined || rule === undefined) return rule ?? policy;
  return {
    status: rule.status ?? policy.status,
    body: rule.body ?? policy.body,
    contentType: rule.body === undefined ? policy.contentType : rule.contentType,
    headers: mergeByName(policy.headers, rule.headers),
  };
}

/** A rule's part over its policy's: lists merge by name, scalars override (S28). */
export function mergeUpstream(
  policy: ReturnType<typeof readUpstream>,
  rule: ReturnType<typeof readUpstream>,
  access: string,
): UpstreamSpec {
  // A policy's Keep does not reach Public rules, where nobody looked at the credential; a rule's own does (S20).
  const inherited = access === 'Public' ? undefined : policy.credential;
  return {
    headers: mergeByName(policy.headers, rule.headers),
    removeHeaders: [...new Set([...policy.removeHeaders, ...rule.removeHeaders])],
    credential: rule.credential ?? inherited ?? 'Remove',
  };
}

/** The elements of both by name, a later one in the place of an earlier one of its name. */
export function mergeByName<T extends { readonly name: string }>(base: readonly T[], over: readonly T[]): T[] {
  const merged = new Map(base.map((element) => [element.name, element]));
  for (const element of over) merged.set(element.name, element);
  return [...merged.values()];
}

function readName(written: string, at: FieldPath, problems: ProblemList): string {
  const name = written.toLowerCase();
  if (!isHeaderName(name)) problems.error('invalid-value', at, `${quote(written)} is no header name`);
  else if (isProtocolHeader(name)) {
    problems.error(
      'forbidden-header',
      at,
      `${name} belongs to the protocol or the proxy: no policy may set or remove it`,
    );
  }
  return name;
}

function checkValue(value: string, at: FieldPath, problems: ProblemList): void {
  if (!isHeaderValue(value)) {
    problems.error('invalid-value', at, 'a header value has no control characters and no white space at its ends');
  }
}

function checkDuplicates(headers: readonly { readonly name: string }[], at: FieldPath, problems: ProblemList): void {
  const seen = new Set<string>();
  for (const [index, { name }] of headers.entries()) {
    const form = twinForm(name);
    if (seen.has(form))
      problems.error(
        'duplicate-name',
        [...at, index, 'name'],
        `the header ${quote(name)} is there twice (- and _ count as one)`,
      );
    seen.add(form);
  }
}
