import { nonResourceFields, resourceFields } from '../core/kubernetes-review.ts';
import { compileExpression } from '../expressions/compile-expression.ts';
import { describeInvalid } from './describe-invalid.ts';
import type { KubernetesAccessShape, TextTemplateShape } from './document-shape.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';
import type { AccessAttributesSpec, AccessGroupsSpec, KubernetesAccessSpec, TextTemplate } from './spec.ts';

/** Reads `kubernetes` of an authorization; an expression that is none, or cannot give a text, is a Problem. */
export function readKubernetesAccess(
  shape: KubernetesAccessShape | undefined,
  at: FieldPath,
  problems: ProblemList,
): KubernetesAccessSpec | undefined {
  if (shape === undefined) return undefined;
  const attributes = readAttributes(shape, at, problems);
  if (shape.groups !== undefined && shape.user === undefined)
    problems.error(
      'missing-field',
      at,
      'groups stands beside user: without user the caller is whom the API server named, with the groups that it named',
    );
  const user = shape.user && readText(shape.user, [...at, 'user'], problems);
  const groups = readGroups(shape.groups, [...at, 'groups'], problems);
  return attributes && { user, groups, attributes };
}

function readAttributes(
  { resourceAttributes, nonResourceAttributes }: KubernetesAccessShape,
  at: FieldPath,
  problems: ProblemList,
): AccessAttributesSpec | undefined {
  if ((resourceAttributes === undefined) === (nonResourceAttributes === undefined)) {
    problems.error('invalid-value', at, 'it asks about exactly one of resourceAttributes and nonResourceAttributes');
    return undefined;
  }
  if (resourceAttributes !== undefined) {
    const fields = readFields(resourceFields, resourceAttributes, [...at, 'resourceAttributes'], problems);
    return { kind: 'resource', fields };
  }
  const written = nonResourceAttributes ?? {};
  const place = [...at, 'nonResourceAttributes'];
  const path = written.path?.value;
  if (path !== undefined && !path.startsWith('/'))
    problems.error('invalid-value', [...place, 'path', 'value'], `${quote(path)} is no path: it begins with a slash`);
  return { kind: 'non-resource', fields: readFields(nonResourceFields, written, place, problems) };
}

function readFields<Name extends string>(
  names: readonly Name[],
  shapes: Readonly<Partial<Record<Name, TextTemplateShape>>>,
  at: FieldPath,
  problems: ProblemList,
): Readonly<Partial<Record<Name, TextTemplate>>> {
  const fields: Partial<Record<Name, TextTemplate>> = {};
  for (const name of names) {
    const shape = shapes[name];
    const template = shape && readText(shape, [...at, name], problems);
    if (template !== undefined) fields[name] = template;
  }
  return fields;
}

function readText(
  { value, expression }: TextTemplateShape,
  at: FieldPath,
  problems: ProblemList,
): TextTemplate | undefined {
  if ((value === undefined) === (expression === undefined)) {
    problems.error('invalid-value', at, 'it has exactly one of value and expression');
    return undefined;
  }
  if (value !== undefined) return { value };
  const source = expression ?? '';
  checkExpression(source, 'text', [...at, 'expression'], problems);
  return { expression: source };
}

function readGroups(
  shape: KubernetesAccessShape['groups'],
  at: FieldPath,
  problems: ProblemList,
): AccessGroupsSpec | undefined {
  if (shape === undefined) return undefined;
  const { values = [], expression } = shape;
  if (expression !== undefined) checkExpression(expression, 'texts', [...at, 'expression'], problems);
  return { values, expression };
}

function checkExpression(source: string, which: 'text' | 'texts', at: FieldPath, problems: ProblemList): void {
  const compiled = compileExpression(source, which, problems.patterns);
  if (compiled.kind === 'invalid') problems.error('invalid-expression', at, describeInvalid(source, compiled));
}
