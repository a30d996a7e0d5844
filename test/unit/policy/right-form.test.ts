import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';

const head = 'apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a, namespace: shop}\n';

/** What is said of a rule with these fields. */
function rule(fields: string): readonly string[] {
  return policy(`hosts: [a.example], authentication: {providers: [{name: okta}]}, rules: [{name: r, ${fields}}]`);
}

function policy(spec: string): readonly string[] {
  const [document] = readDocuments('p.yaml', `${head}spec:\n  {${spec}}\n`);
  if (document === undefined) throw new Error('no document');
  const { problems } = parseDocument(document, { serviceNamespace: 'portcullis' });
  return problems.map((problem) => formatProblem(problem).replace(/^p\.yaml:\d+:\d+: error: /, ''));
}

const at = 'matches: [{path: {type: PathPrefix, value: /x}}]';

describe('a value of the wrong type is told with the right form, made of what was written', () => {
  test.each([
    ['matches: [{path: /a}], access: Public', 'write path: {type: PathPrefix, value: /a}'],
    ['matches: [/a], access: Public', 'write {path: {type: PathPrefix, value: /a}}'],
    ['matches: [{methods: GET}], access: Public', 'write methods: [GET]'],
    ['matches: {methods: [GET]}, access: Public', 'write matches: [{…}], each element behind a "- "'],
    [
      'matches: [{path: {type: prefix, value: /a}}], access: Public',
      'type must be one of Exact, PathPrefix, RegularExpression: did you mean PathPrefix, not "prefix"?',
    ],
    [`${at}, access: Restricted, authorization: {roles: [x, y z]}`, "write roles: {anyOf: [x, 'y z']}"],
    [`${at}, access: Restricted, authorization: {scopes: "orders:read"}`, 'write scopes: {anyOf: [orders:read]}'],
    [`${at}, access: Restricted, authorization: {stepUp: {acr: [mfa]}}`, 'write acr: {anyOf: [mfa]}'],
    [`${at}, access: Restricted, authorization: {stepUp: {maxAge: 600}}`, 'write maxAge: 600s'],
    [`${at}, access: Restricted, authorization: {providers: [{name: okta}]}`, 'write okta'],
    [`${at}, access: Public, response: {forbidden: {status: 200}}`, 'status must be from 400 to 599, not "200"'],
  ])('%s', (fields, remedy) => {
    const said = rule(fields);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(remedy);
  });

  test('of the policy itself', () => {
    expect(
      policy(`hosts: a.example, authentication: {providers: [okta]}, rules: [{name: r, ${at}, access: Public}]`),
    ).toEqual([
      'hosts must be a list: write hosts: [a.example] [invalid-value]',
      'providers[0] must be an object (fields below it): write {name: okta} [invalid-value]',
    ]);
  });

  test.each(['path: 7', 'methods: 7', 'headers: yes'])('%s, of which nothing can be made, is told without', (match) => {
    expect(rule(`matches: [{${match}}], access: Public`).join()).toMatch(
      /must be an? (object|list)[^:]* \[invalid-value/,
    );
  });
});

describe('conditions', () => {
  const condition = `"identity.claims.tenant == 'acme'"`;
  const expression = `{expression: 'identity.claims.tenant == ''acme'''}`;

  test.each([
    [`${at}, access: Restricted, authorization: {when: ${condition}}`, `write when: [${expression}]`],
    [`${at}, access: Restricted, authorization: {when: [${condition}]}`, `write ${expression}`],
    [`${at}, access: Denied, when: "request.host == 'a'"`, `write when: [{expression: 'request.host == ''a'''}]`],
    [
      `${at}, access: Restricted, authorization: {scopes: {anyOf: [a]}}, when: ${condition}`,
      `write access: Restricted and authorization: {when: [${expression}]}`,
    ],
    [
      `${at}, access: Authenticated, when: [{expression: ${condition}}]`,
      "only a Denied rule has its conditions here, not one with access Authenticated: write access: Restricted and authorization: {when: [{expression: '…'}]}",
    ],
    [
      `${at}, access: Denied, authorization: {when: [{expression: "request.host == 'a'"}]}`,
      "a condition over the request stands on the rule, when: [{expression: '…'}]",
    ],
    [
      `${at}, access: Authenticated, authorization: {when: [{expression: ${condition}}]}`,
      'authorization stands only with access Restricted, not with Authenticated: write access: Restricted, or leave it out',
    ],
  ])('%s', (fields, remedy) => {
    const said = rule(fields);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(remedy);
  });

  test('in the right form and place are accepted', () => {
    expect(rule(`${at}, access: Restricted, authorization: {when: [${expression}]}`)).toEqual([]);
    expect(rule(`${at}, access: Denied, when: [{expression: "request.host == 'a'"}]`)).toEqual([]);
  });
});
