import { denial, type Denial } from '../../core/decision.ts';
import type {
  AccessAttributes,
  AccessQuestion,
  KubernetesUser,
  NonResourceField,
  ResourceField,
} from '../../core/kubernetes-review.ts';
import { compileExpression, type Expression, type ExpressionResults } from '../../expressions/compile-expression.ts';
import type { Scope } from '../../expressions/scope.ts';
import type { AccessAttributesSpec, AccessGroupsSpec, KubernetesAccessSpec, TextTemplate } from '../../policy/spec.ts';
import type { AuthorizationInput } from './authorization-test.ts';

/** What is asked about a request; a Denial where the policy's expressions give nothing that may be asked. */
export type CompiledQuestion = (input: AuthorizationInput) => AccessQuestion | Denial;

/** Names beyond this are no Kubernetes names. */
const maxLength = 1024;

export function compileAccessQuestion({ user, groups, attributes }: KubernetesAccessSpec): CompiledQuestion {
  const compileUser = compileUserQuestion(user, groups);
  const compileFields = compileAttributes(attributes);
  return (input) => {
    let scope: Scope | undefined;
    const seen: ScopeOnce = () => (scope ??= input.scope());
    const asked = compileUser(input, seen);
    if ('code' in asked) return asked;
    const fields = compileFields(seen);
    return 'code' in fields ? fields : { user: asked, attributes: fields };
  };
}

type ScopeOnce = () => Scope;

const nobody = denial(
  'access_denied',
  'The API server did not name the caller, and the rule does not say which user of Kubernetes the caller is.',
);
const reserved = denial(
  'condition_error',
  'A name that begins with system: is for those whom the API server itself names; an expression of the rule gave one.',
);

/** Without `user` the caller is whom the API server named, with all that it said of him. */
function compileUserQuestion(
  user: TextTemplate | undefined,
  groups: AccessGroupsSpec | undefined,
): (input: AuthorizationInput, scope: ScopeOnce) => KubernetesUser | Denial {
  if (user === undefined) return ({ identity }) => identity.kubernetesUser ?? nobody;
  const evaluateUser = compileText('user', user);
  const evaluateGroups = compileGroups(groups);
  const isFixed = 'value' in user;
  return ({ identity: { kubernetesUser: known } }, scope) => {
    const username = evaluateUser(scope);
    if (typeof username !== 'string') return username;
    if (!isFixed && isReserved(username) && username !== known?.username) return reserved;
    const given = evaluateGroups(scope);
    if ('code' in given) return given;
    const mayBe = known !== undefined && known.username === username ? known.groups : [];
    if (given.evaluated.some((group) => isReserved(group) && !mayBe.includes(group))) return reserved;
    return { username, uid: '', groups: [...given.fixed, ...given.evaluated], extra: new Map() };
  };
}

/** `system:masters` of a token that anybody can have made somewhere must not be the one of Kubernetes. */
function isReserved(name: string): boolean {
  return name.startsWith('system:');
}

interface Groups {
  readonly fixed: readonly string[];
  readonly evaluated: readonly string[];
}

function compileGroups(spec: AccessGroupsSpec | undefined): (scope: ScopeOnce) => Groups | Denial {
  const fixed = spec?.values ?? [];
  if (spec?.expression === undefined) return () => ({ fixed, evaluated: [] });
  const expression = checked(spec.expression, 'texts');
  return (scope) => {
    const evaluated = evaluate('groups', expression, scope);
    if ('code' in evaluated) return evaluated;
    const isGood = evaluated.every((group) => group !== '' && group.length <= maxLength);
    return isGood ? { fixed, evaluated } : unfit('groups');
  };
}

function compileAttributes({ kind, fields }: AccessAttributesSpec): (scope: ScopeOnce) => AccessAttributes | Denial {
  const programs = Object.entries(fields).map(([name, template]) => ({ name, evaluate: compileText(name, template) }));
  return (scope) => {
    const texts = new Map<string, string>();
    for (const { name, evaluate: program } of programs) {
      const text = program(scope);
      if (typeof text !== 'string') return text;
      texts.set(name, text);
    }
    const textOf = (name: ResourceField | NonResourceField): string => texts.get(name) ?? '';
    const verb = textOf('verb');
    if (kind === 'non-resource') return { kind, fields: { path: textOf('path'), verb } };
    const [group, resource, subresource] = [textOf('group'), textOf('resource'), textOf('subresource')];
    return {
      kind,
      fields: { group, resource, subresource, verb, namespace: textOf('namespace'), name: textOf('name') },
    };
  };
}

/** A text that is there: what is empty means all to Kubernetes, and no expression may come to mean that. */
function compileText(name: string, template: TextTemplate): (scope: ScopeOnce) => string | Denial {
  if ('value' in template) {
    const { value } = template;
    return () => value;
  }
  const expression = checked(template.expression, 'text');
  return (scope) => {
    const text = evaluate(name, expression, scope);
    if (typeof text !== 'string') return text;
    return text === '' || text.length > maxLength || /\p{Cc}/u.test(text) ? unfit(name) : text;
  };
}

function unfit(name: string): Denial {
  return denial('condition_error', `The expression for ${name} of the rule gave no text that can be asked about.`);
}

function evaluate<T extends string | readonly string[]>(
  name: string,
  expression: Expression<T>,
  scope: ScopeOnce,
): T | Denial {
  const seen = scope();
  const result = expression.evaluate(seen);
  if ('value' in result) return result.value;
  seen.request.noteFailure('kubernetes');
  return denial('condition_error', `The expression for ${name} of the rule could not be evaluated: ${result.failure}.`);
}

function checked<E extends 'text' | 'texts'>(source: string, which: E): Expression<ExpressionResults[E]> {
  const compiled = compileExpression(source, which);
  if (compiled.kind === 'invalid') throw new TypeError(`unchecked expression: ${compiled.why}`);
  return compiled;
}
