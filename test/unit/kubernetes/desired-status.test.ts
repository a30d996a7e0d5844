import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Problem } from '../../../src/core/problem.ts';
import type { DocumentStatus } from '../../../src/core/status.ts';
import { conditionReasons } from '../../../src/kubernetes/conditions.ts';
import { desiredStatus, type DesiredStatus, type StatusInput } from '../../../src/kubernetes/desired-status.ts';

const now = Date.UTC(2026, 5, 1, 12);
const key = 'AccessPolicy shop/orders';

function problemOf(code: Problem['code'], severity: Problem['severity'] = 'error'): Problem {
  return {
    code,
    severity,
    message: `about ${code}`,
    field: 'spec.x',
    place: { source: key, line: undefined, column: undefined },
  };
}

function documentOf(overrides: Partial<DocumentStatus> = {}): DocumentStatus {
  return {
    key,
    kind: 'AccessPolicy',
    namespace: 'shop',
    name: 'orders',
    accepted: true,
    serving: 'current',
    problems: [],
    version: { uid: 'uid', generation: 5, createdAt: 0 },
    servedGeneration: 5,
    conflicts: [],
    targets: [],
    isUnrouted: false,
    ...overrides,
  };
}

function inputOf(document: Partial<DocumentStatus> = {}, input: Partial<StatusInput> = {}): StatusInput {
  return {
    document: documentOf(document),
    replicas: { agreeing: 2, pending: 0, disagreeing: 0 },
    isShadow: false,
    readingOf: () => ({ isRead: true, failure: undefined }),
    unreadable: undefined,
    provider: undefined,
    missing: [],
    providers: [],
    value: { spec: { hosts: ['a.example.com', 'b.example.com', 'c.example.com', 'd.example.com'], rules: [{}, {}] } },
    keysFetchedAt: undefined,
    ...input,
  };
}

function statusOf(input: StatusInput, before: JsonObject = {}): DesiredStatus {
  return desiredStatus(input, before, now) ?? expect.unreachable('nothing would be different');
}

/** `Accepted=True/Accepted Programmed=…` */
function outline({ status }: DesiredStatus): string {
  const conditions = status['conditions'] as readonly JsonObject[];
  return conditions
    .map(({ type, status: value, reason }) => `${textOf(type)}=${textOf(value)}/${textOf(reason)}`)
    .join(' ');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

describe('the status of a document', () => {
  it('says everything of a policy that all replicas serve', () => {
    const condition = (type: string, message: string): JsonObject => ({
      type,
      status: 'True',
      reason: type,
      message,
      observedGeneration: 5,
      lastTransitionTime: '2026-06-01T12:00:00Z',
    });
    expect(statusOf(inputOf()).status).toEqual({
      observedGeneration: 5,
      servedGeneration: 5,
      replicas: '2/2',
      targets: 'a.example.com,b.example.com,c.example.com,+1',
      rules: 2,
      conditions: [
        condition('Accepted', conditionReasons.Accepted),
        condition('ResolvedRefs', conditionReasons.ResolvedRefs),
        condition('Programmed', conditionReasons.Programmed),
      ],
    });
  });

  it.each([
    [
      'invalid, and the last good one serves',
      { accepted: false, serving: 'last-good', servedGeneration: 4, problems: [problemOf('unknown-field')] },
      'Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs Programmed=False/LastGoodServed',
    ],
    [
      'never valid',
      { accepted: false, serving: 'refused', servedGeneration: undefined, problems: [problemOf('unknown-field')] },
      'Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs Programmed=False/Denying',
    ],
    [
      'of what this version does not build',
      { accepted: false, serving: 'refused', servedGeneration: undefined, problems: [problemOf('unsupported')] },
      'Accepted=False/Unsupported ResolvedRefs=True/ResolvedRefs Programmed=False/Denying',
    ],
    [
      'unsupported and misspelt',
      {
        accepted: false,
        serving: 'refused',
        servedGeneration: undefined,
        problems: [problemOf('unsupported'), problemOf('unknown-field')],
      },
      'Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs Programmed=False/Denying',
    ],
    [
      'without its provider',
      { accepted: false, serving: 'refused', servedGeneration: undefined, problems: [problemOf('missing-reference')] },
      'Accepted=False/RefsNotResolved ResolvedRefs=False/RefNotFound Programmed=False/Denying',
    ],
    [
      'with a refused provider',
      { accepted: false, serving: 'refused', servedGeneration: undefined, problems: [problemOf('invalid-reference')] },
      'Accepted=False/RefsNotResolved ResolvedRefs=False/RefRefused Programmed=False/Denying',
    ],
    [
      'of hosts that are not granted',
      { accepted: false, serving: 'refused', servedGeneration: undefined, problems: [problemOf('host-not-granted')] },
      'Accepted=False/HostsNotOwned ResolvedRefs=True/ResolvedRefs Programmed=False/Denying',
    ],
    [
      "of which one host is another namespace's",
      { conflicts: [{ host: 'a.example.com', owner: 'team-b' }], targets: [], isUnrouted: false },
      'Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs Programmed=True/Programmed Conflicted=True/HostConflict',
    ],
    [
      "of which every host is another namespace's, so that it governs nothing",
      { servedGeneration: undefined, conflicts: [{ host: 'a.example.com', owner: 'team-b' }] },
      'Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs Programmed=False/HostsNotOwned Conflicted=True/HostConflict',
    ],
    [
      'accepted with a warning',
      { problems: [problemOf('rule-shadowed', 'warning')] },
      'Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs Programmed=True/Programmed',
    ],
  ] as const satisfies readonly (readonly [string, Partial<DocumentStatus>, string])[])(
    'has the conditions of a policy that is %s',
    (_title, document, expected) => {
      expect(outline(statusOf(inputOf(document)))).toBe(expected);
    },
  );

  it.each([
    ['has not taken the version in', { agreeing: 1, pending: 1, disagreeing: 0 }, 'Programmed=False/Pending', '1/2'],
    ['serves another one', { agreeing: 1, pending: 0, disagreeing: 1 }, 'Programmed=False/ReplicasDisagree', '1/2'],
  ])('tells that a replica %s', (_title, replicas, expected, shown) => {
    const desired = statusOf(inputOf({}, { replicas }));
    expect(outline(desired)).toContain(expected);
    expect(desired.status['replicas']).toBe(shown);
  });

  it('says of a policy in shadow mode that it changes nothing', () => {
    expect(outline(statusOf(inputOf({}, { isShadow: true })))).toContain('Programmed=True/Shadow');
  });

  it('lists problems, errors first and not without end, and never more than the API server takes', () => {
    const problems = [
      problemOf('rule-shadowed', 'warning'),
      ...Array.from({ length: 40 }, () => ({ ...problemOf('unknown-field'), message: 'x'.repeat(5000) })),
    ];
    const { status } = statusOf(inputOf({ accepted: false, problems }));
    const listed = status['problems'] as readonly JsonObject[];
    expect(listed).toHaveLength(16);
    expect(listed.map(({ severity }) => severity)).not.toContain('warning');
    expect(JSON.stringify(status).length).toBeLessThan(25_000);
  });

  it('is not written again where nothing is different, however the server orders and adds to it', () => {
    const { status } = statusOf(inputOf());
    const reordered = Object.fromEntries(Object.entries(status).toReversed());
    expect(desiredStatus(inputOf(), reordered, now + 60_000)).toBeUndefined();
    expect(
      desiredStatus(inputOf({}, { replicas: { agreeing: 1, pending: 1, disagreeing: 0 } }), reordered, now),
    ).toBeDefined();
  });

  it('is not written again for a condition that somebody else added, and is for one of ours that does not hold any more', () => {
    const { status } = statusOf(inputOf());
    const conditions = status['conditions'] as readonly JsonObject[];
    const withOne = (type: string): JsonObject => ({
      ...status,
      conditions: [...conditions, { type, status: 'True' }],
    });
    expect(desiredStatus(inputOf(), withOne('Synced'), now)).toBeUndefined();
    expect(desiredStatus(inputOf(), withOne('Conflicted'), now)).toBeDefined();
  });

  it('keeps the time of a condition that stays, and tells which change', () => {
    const before = statusOf(inputOf()).status;
    const later = desiredStatus(
      inputOf({
        accepted: false,
        serving: 'last-good',
        servedGeneration: 5,
        version: { uid: 'uid', generation: 6, createdAt: 0 },
        problems: [problemOf('unknown-field')],
      }),
      before,
      now + 3_600_000,
    );
    const conditions = later?.status['conditions'] as readonly JsonObject[];
    expect(conditions.map((one) => one['lastTransitionTime'])).toEqual([
      '2026-06-01T13:00:00Z',
      '2026-06-01T12:00:00Z',
      '2026-06-01T13:00:00Z',
    ]);
    expect(later?.transitions.map(({ type, reason }) => `${type}/${reason}`)).toEqual([
      'Accepted/Invalid',
      'Programmed/LastGoodServed',
    ]);
  });

  it('tells of a provider its keys, when they were fetched and the last error, without a write for each fetch', () => {
    const provider = { key: 'IdentityProvider shop/okta', keys: 2, keyAgeSeconds: 5, lastError: undefined };
    const input = (fetchedAt: number, lastError?: string): StatusInput =>
      inputOf(
        { kind: 'IdentityProvider' },
        { provider: { ...provider, lastError }, keysFetchedAt: fetchedAt, value: {} },
      );
    const first = statusOf(input(now));
    expect(first.status['keys']).toEqual({ count: 2, fetchedAt: '2026-06-01T12:00:00Z' });
    expect(outline(first)).toContain('KeysLoaded=True/KeysLoaded');
    expect(desiredStatus(input(now + 600_000), first.status, now + 600_000)).toBeUndefined();
    expect(desiredStatus(input(now + 7_200_000), first.status, now)?.status['keys']).toEqual({
      count: 2,
      fetchedAt: '2026-06-01T14:00:00Z',
    });
    expect(outline(statusOf(input(now, 'GET https://idp: status 500')))).toContain('KeysLoaded=True/KeysStale');
    expect(
      outline(statusOf(inputOf({ kind: 'IdentityProvider' }, { provider: { ...provider, keys: 0 }, value: {} }))),
    ).toContain('KeysLoaded=False/KeysMissing');
    const ofSecrets = { ...provider, keyAgeSeconds: undefined, lastError: 'Secret a: the API key is empty' };
    const incomplete = statusOf(inputOf({ kind: 'IdentityProvider' }, { provider: ofSecrets, value: {} }));
    expect(outline(incomplete)).toContain('KeysLoaded=True/KeysIncomplete');
    expect(incomplete.status['keys']).toEqual({ count: 2, lastError: 'Secret a: the API key is empty' });
  });

  it('tells of a provider which Secrets cannot be read, and why', () => {
    const unreadable = 'the Secrets shop?a=b cannot be read: the service account needs get, list and watch on secrets';
    const { conditions } = statusOf(inputOf({ kind: 'IdentityProvider' }, { unreadable, value: {} })).status;
    const refs = (conditions as readonly JsonObject[]).find(({ type }) => type === 'ResolvedRefs');
    expect([refs?.['status'], refs?.['reason'], refs?.['message']]).toEqual(['False', 'RefNotReadable', unreadable]);
  });

  it('tells of a provider that asks somebody whether it is answered, and nothing of keys that it does not need', () => {
    const provider = { key: 'IdentityProvider shop/okta', keys: 0, keyAgeSeconds: undefined };
    const told = (isAnswering: boolean, lastError?: string): string => {
      const asked = { ...provider, isAnswering, lastError };
      return outline(statusOf(inputOf({ kind: 'IdentityProvider' }, { provider: asked, value: {} })));
    };
    expect(told(true)).toContain('Answering=True/Answering');
    expect(told(false, 'https://idp.example/introspect answers with status 500')).toContain(
      'Answering=False/NotAnswering',
    );
    expect(told(true)).not.toContain('KeysLoaded');
    const before = { ...provider, isAnswering: true, isAsked: false, lastError: undefined };
    expect(outline(statusOf(inputOf({ kind: 'IdentityProvider' }, { provider: before, value: {} })))).toContain(
      'Answering=Unknown/NotAsked',
    );
  });

  it.each([
    [true, undefined, 'Answering=True/Answering'],
    [false, 'no answer', 'Answering=False/NotAnswering'],
  ])(
    'tells of a provider that asks somebody whether it is answered (%s), and nothing of keys',
    (isAnswering, lastError, told) => {
      const provider = { key: 'IdentityProvider shop/sa', keys: 0, keyAgeSeconds: undefined, lastError, isAnswering };
      const status = statusOf(inputOf({ kind: 'IdentityProvider' }, { provider, value: {} }));
      expect(outline(status)).toContain(told);
      expect(outline(status)).not.toContain('KeysLoaded');
    },
  );

  it.each([
    [{ attachment: 'Named', rules: [{}] }, 'by name'],
    [{ targetRefs: [{ kind: 'HTTPRoute', name: 'orders' }], rules: [] }, 'HTTPRoute/orders'],
    [{ rules: [] }, '*'],
    [{ hosts: [7] }, '?'],
    ['no object', '*'],
  ])('shows what %j stands over', (spec, targets) => {
    expect(statusOf(inputOf({}, { value: { spec } })).status['targets']).toBe(targets);
  });
});

describe('the status of what refers to ConfigMaps and providers', () => {
  const material = { kind: 'ConfigMap' as const, namespace: 'shop', name: 'keys', key: 'jwks.json', isWhole: true };
  const keyed = { keys: 1, lastError: undefined };
  const conditionOf = (input: StatusInput, name: string): string => {
    const conditions = statusOf(input).status['conditions'] as readonly JsonObject[];
    const found = conditions.find(({ type }) => type === name);
    return [found?.['status'], found?.['reason'], found?.['message']].map(textOf).join(' ');
  };
  const refsOf = (input: StatusInput): string => conditionOf(input, 'ResolvedRefs');

  it.each([
    ['does not exist', true, {}, 'False RefNotFound the ConfigMap shop/keys does not exist'],
    ['has no such key', false, {}, 'False RefNotFound the ConfigMap shop/keys has no key jwks.json'],
    ['is not read yet', true, { isRead: false }, `Unknown RefPending ${conditionReasons.RefPending}`],
    [
      'may not be read',
      true,
      { isRead: false, failure: '403' },
      'False RefNotReadable the ConfigMap shop/keys cannot be read: 403',
    ],
    [
      'has no such key, and cannot be read now',
      false,
      { failure: 'away' },
      'False RefNotFound the ConfigMap shop/keys has no key jwks.json',
    ],
    ['is not read yet for this key', false, { isRead: false }, `Unknown RefPending ${conditionReasons.RefPending}`],
    [
      'may not be read again for this key',
      false,
      { isRead: false, failure: '403' },
      'False RefNotReadable the ConfigMap shop/keys cannot be read: 403',
    ],
  ])('says of a provider that its ConfigMap %s', (_title, isWhole, reading, expected) => {
    const asked: string[] = [];
    const readingOf = (name: string) => {
      asked.push(name);
      return { isRead: true, failure: undefined, ...reading };
    };
    const missing = [{ ...material, isWhole }];
    expect(refsOf(inputOf({ kind: 'IdentityProvider' }, { missing, readingOf, value: {} }))).toBe(expected);
    expect([...new Set(asked)]).toEqual(['ConfigMap shop/keys']);
  });

  it('says of a policy which of its providers refers to what is missing; the others are no matter', () => {
    const good = { key: 'IdentityProvider shop/good', isRunning: true, missing: [], ...keyed };
    const bad = { key: 'IdentityProvider shop/idp', isRunning: true, missing: [material], ...keyed };
    expect(refsOf(inputOf({}, { providers: [good, bad] }))).toBe(
      'False ProviderNotResolved IdentityProvider shop/idp: the ConfigMap shop/keys does not exist: credentials are answered with 503',
    );
    expect(refsOf(inputOf({}, { providers: [good] }))).toBe(`True ResolvedRefs ${conditionReasons.ResolvedRefs}`);
  });

  it('does not say of what cannot be read that it does not exist, at the provider and at the policy', () => {
    const readingOf = () => ({ isRead: false, failure: 'no right' });
    const lastError = 'the ConfigMap shop/keys does not exist';
    const provider = { key: 'IdentityProvider shop/idp', keys: 0, keyAgeSeconds: undefined, lastError };
    const ofProvider = inputOf({ kind: 'IdentityProvider' }, { provider, missing: [material], readingOf, value: {} });
    expect(conditionOf(ofProvider, 'KeysLoaded')).toBe(
      'False KeysMissing None of its keys is in use: it vouches for nobody: the ConfigMap shop/keys cannot be read: no right',
    );
    const providers = [{ key: provider.key, isRunning: true, missing: [material], keys: 0, lastError }];
    expect(refsOf(inputOf({}, { providers, readingOf }))).toBe(
      'False ProviderNotResolved IdentityProvider shop/idp: the ConfigMap shop/keys cannot be read: no right: credentials are answered with 503',
    );
    // The control: what was read, and is not there.
    const control = { ...ofProvider, readingOf: () => ({ isRead: true, failure: undefined }) };
    expect(conditionOf(control, 'KeysLoaded')).toContain(lastError);
  });

  it('says of a policy which of its providers has no usable keys, whatever keeps them away', () => {
    const broken = { isRunning: true, missing: [], keys: 0, lastError: 'GET https://idp.example: status 500' };
    const said = (key: string, changes: object = {}): string =>
      refsOf(inputOf({}, { providers: [{ key, ...broken, ...changes }] }));
    expect(said('IdentityProvider shop/idp')).toBe(
      'False ProviderNotResolved IdentityProvider shop/idp: none of its keys is in use: GET https://idp.example: status 500: such a provider vouches for nobody',
    );
    // Why is the operator's to know.
    expect(said('ClusterIdentityProvider idp')).toBe(
      'False ProviderNotResolved ClusterIdentityProvider idp: none of its keys is in use: such a provider vouches for nobody',
    );
    const good = `True ResolvedRefs ${conditionReasons.ResolvedRefs}`;
    expect(said('IdentityProvider shop/idp', { keys: 1 })).toBe(good);
    expect(said('IdentityProvider shop/idp', { keys: undefined })).toBe(good);
    expect(said('IdentityProvider shop/idp', { lastError: undefined })).toBe(good);
  });

  it.each([
    [{}, 'a.example belongs to the namespace pay, b.example is not granted; the policy governs its other hosts'],
    [
      { servedGeneration: undefined },
      'a.example belongs to the namespace pay, b.example is not granted; the policy governs none of its hosts',
    ],
  ])('says of hosts of others what the policy governs, and who grants: %j', (changes, said) => {
    const conflicts = [
      { host: 'a.example', owner: 'pay' },
      { host: 'b.example', owner: undefined },
    ];
    expect(conditionOf(inputOf({ conflicts, ...changes }), 'Conflicted')).toBe(
      `True HostConflict ${said}; the operator grants hosts to shop (hostGrants; config.hostGrants of the chart)`,
    );
    // The control: where nothing is to be granted nobody is sent to the operator.
    expect(conditionOf(inputOf({ conflicts: conflicts.slice(0, 1), ...changes }), 'Conflicted')).not.toContain('grant');
  });

  it('says of a policy in shadow mode where it is not judged', () => {
    const conflicts = [{ host: 'a.example.com', owner: 'team-b' }];
    const told = (document: Partial<DocumentStatus>): string =>
      conditionOf(inputOf({ conflicts, ...document }, { isShadow: true }), 'Conflicted');
    expect(told({})).toBe(
      'True HostConflict a.example.com belongs to the namespace team-b; the policy is judged on its other hosts',
    );
    expect(told({ servedGeneration: undefined })).toContain('; the policy is judged on none of its hosts');
  });

  it('promise 6: does not say of a provider of the cluster what it refers to in the namespace of the operator', () => {
    const missing = [{ ...material, kind: 'Secret' as const, namespace: 'portcullis', name: 'okta-client' }];
    const providers = [{ key: 'ClusterIdentityProvider okta', isRunning: true, missing, ...keyed }];
    const desired = statusOf(inputOf({}, { providers }));
    expect(JSON.stringify(desired)).not.toMatch(/okta-client|portcullis\//);
    expect(refsOf(inputOf({}, { providers }))).toBe(
      'False ProviderNotResolved ClusterIdentityProvider okta: something that it refers to is not there or cannot be read: credentials are answered with 503',
    );
    // The control: the operator is told, at the provider itself.
    const ofProvider = inputOf({ kind: 'ClusterIdentityProvider', namespace: '' }, { missing, value: {} });
    expect(refsOf(ofProvider)).toBe('False RefNotFound the Secret portcullis/okta-client does not exist');
  });

  it.each([
    ['whose provider is gone', 'missing-reference', false, 5, 'ProviderUnavailable'],
    ['whose provider became the twin of another one', 'ambiguous-provider', true, 5, 'ProviderUnavailable'],
    ['that was changed to name a provider that does not exist', 'missing-reference', true, 4, 'LastGoodServed'],
    ['that was changed to name two of one issuer', 'ambiguous-provider', true, 4, 'LastGoodServed'],
  ] as const)(
    'says what really happens to requests of a policy %s',
    (_title, code, isRunning, servedGeneration, reason) => {
      const providers = [{ key: 'IdentityProvider shop/idp', isRunning, missing: [], ...keyed }];
      const problems = [problemOf(code)];
      const desired = statusOf(
        inputOf({ accepted: false, serving: 'last-good', servedGeneration, problems }, { providers }),
      );
      expect(outline(desired)).toContain(`Programmed=False/${reason}`);
      expect(JSON.stringify(desired.status).includes('503 (provider_unavailable)')).toBe(
        reason === 'ProviderUnavailable',
      );
    },
  );
});

describe('the status of a policy on routes', () => {
  const parent = {
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    namespace: 'infra',
    name: 'public',
    sectionName: undefined,
    port: undefined,
  };
  const target = { kind: 'HTTPRoute', namespace: 'shop', name: 'orders', section: '', parents: [parent] };
  const found = { ...target, found: 'found' } as const;
  const noRoute = { ...target, found: 'no-route', parents: [] } as const;
  const noSection = { ...target, section: 'admin', found: 'no-section' } as const;
  const refsOf = (input: StatusInput): unknown => {
    const conditions = statusOf(input).status['conditions'] as readonly JsonObject[];
    const refs = conditions.find(({ type }) => type === 'ResolvedRefs');
    return [refs?.['status'], refs?.['reason'], refs?.['message']];
  };

  it.each([
    ['are there', [found], {}, ['True', 'ResolvedRefs', conditionReasons.ResolvedRefs]],
    [
      'do not exist',
      [found, noRoute, noSection],
      {},
      [
        'False',
        'TargetNotFound',
        'HTTPRoute shop/orders; HTTPRoute shop/orders, rule admin: they do not exist, and the policy stands ready for the checks that name them',
      ],
    ],
    ['are not read yet', [noRoute], { isRead: false }, ['Unknown', 'TargetPending', conditionReasons.TargetPending]],
    [
      'cannot be read',
      [noSection, noRoute],
      { isRead: false, failure: 'no right' },
      ['False', 'TargetNotReadable', 'HTTPRoute shop/orders cannot be read: no right'],
    ],
    [
      'are known, and cannot be read now',
      [found],
      { failure: 'away' },
      ['True', 'ResolvedRefs', conditionReasons.ResolvedRefs],
    ],
  ])('says whether they %s', (_, targets, reading, expected) => {
    const readingOf = () => ({ isRead: true, failure: undefined, ...reading });
    expect(refsOf(inputOf({ targets }, { readingOf }))).toEqual(expected);
  });

  it('says what holds at each Gateway, once, and keeps the time of what stays', () => {
    const listener = { ...noSection, parents: [{ ...parent, sectionName: 'http', port: 80 }] };
    const first = statusOf(inputOf({ targets: [found, found, listener] })).status;
    const outlined = (first['ancestors'] as readonly JsonObject[]).map(({ ancestorRef, conditions }) => [
      ancestorRef,
      (conditions as readonly JsonObject[]).map(({ type, status, reason }) =>
        [type, status, reason].map(textOf).join(' '),
      ),
    ]);
    const ref = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra', name: 'public' };
    expect(outlined).toEqual([
      [ref, ['Accepted True Accepted', 'Programmed True Programmed']],
      [{ ...ref, sectionName: 'http', port: 80 }, ['Accepted False TargetNotFound', 'Programmed True Programmed']],
    ]);
    // As the server gives it back, with the members in another order, an hour later: nothing is different.
    const stored = JSON.parse(JSON.stringify(first), (_name, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toReversed())
        : part,
    ) as JsonObject;
    expect(desiredStatus(inputOf({ targets: [found, found, listener] }), stored, now + 3_600_000)).toBe(undefined);
    const refused = inputOf({ targets: [found], accepted: false, serving: 'refused' });
    expect(statusOf(refused, stored).status['ancestors']).toMatchObject([
      { conditions: [{ type: 'Accepted', status: 'False', reason: 'Invalid' }, { type: 'Programmed' }] },
    ]);
  });

  it('says that checks come without the route', () => {
    expect(outline(statusOf(inputOf({ targets: [found], isUnrouted: true })))).toContain(
      'Unrouted=True/RouteMetadataMissing',
    );
    expect(outline(statusOf(inputOf({ targets: [found] })))).not.toContain('Unrouted');
  });
});
