import type { JsonObject } from '../../core/json.ts';

const generation = (description: string): JsonObject => ({ type: 'integer', format: 'int64', description });
const text = (description: string, maxLength: number): JsonObject => ({ type: 'string', maxLength, description });

const condition: JsonObject = {
  type: 'object',
  description: 'A condition, as Kubernetes has them.',
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  properties: {
    type: {
      ...text('Accepted, ResolvedRefs, Programmed, Conflicted, Unrouted, KeysLoaded or Answering.', 64),
      minLength: 1,
    },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'Whether it holds.' },
    reason: { ...text('Why, in a word.', 128), minLength: 1 },
    message: text('Why, in a sentence.', 32_768),
    observedGeneration: generation('The generation of the spec that it is about.'),
    lastTransitionTime: { type: 'string', format: 'date-time', description: 'When the status became what it is.' },
  },
};

const conditions: JsonObject = {
  type: 'array',
  description: 'What is true of it.',
  maxItems: 16,
  items: condition,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
};

const problems: JsonObject = {
  type: 'array',
  description: 'What is wrong or suspicious, errors first.',
  maxItems: 16,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One problem.',
    required: ['severity', 'code', 'message'],
    properties: {
      severity: { type: 'string', enum: ['error', 'warning'], description: 'An error makes the version unusable.' },
      code: text('The code; the documentation lists them.', 64),
      field: text('Where it is, as spec.rules[0].access.', 512),
      message: text('What is wrong and the remedy.', 1024),
    },
  },
};

const common = {
  observedGeneration: generation('The generation of the spec that the status is about.'),
  servedGeneration: generation('The generation that serves. Absent: none does, and what it would govern is denied.'),
  replicas: text('How many central replicas serve what the leader serves, of how many, as 2/2.', 32),
  conditions,
  problems,
};

const conflicts: JsonObject = {
  type: 'array',
  description: 'Hosts that the policy names and does not govern.',
  maxItems: 64,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One host.',
    required: ['host'],
    properties: {
      host: text('The host as the policy names it.', 253),
      owner: text('The namespace that it belongs to. Absent: it is granted to nobody.', 63),
    },
  },
};

const keys: JsonObject = {
  type: 'object',
  description: 'The keys that tokens are verified with.',
  required: ['count'],
  properties: {
    count: { type: 'integer', format: 'int32', description: 'How many are in use.' },
    fetchedAt: { type: 'string', format: 'date-time', description: 'When they were fetched, to the hour.' },
    lastError: text('Why the last fetch failed.', 512),
  },
};

const routeRef: JsonObject = {
  type: 'object',
  description: 'What the policy stands over, as the Gateway API names it.',
  required: ['name'],
  properties: {
    group: text('The API group.', 253),
    kind: text('The kind.', 63),
    namespace: text('The namespace.', 63),
    name: { ...text('The name.', 253), minLength: 1 },
    sectionName: text('The part of it.', 253),
    port: { type: 'integer', format: 'int32', description: 'The port of it.', minimum: 1, maximum: 65_535 },
  },
};

/** PolicyAncestorStatus of the Gateway API (GEP-713), for policies with targetRefs. */
const ancestors: JsonObject = {
  type: 'array',
  description: 'What is true of the policy at each route or gateway that it stands over.',
  maxItems: 16,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One of them.',
    required: ['ancestorRef', 'controllerName', 'conditions'],
    properties: {
      ancestorRef: routeRef,
      controllerName: { ...text('Who says so, as a domain and a path.', 253), minLength: 1 },
      conditions,
    },
  },
};

function status(properties: JsonObject): JsonObject {
  return { type: 'object', description: 'What Portcullis makes of it. Written by the service alone.', properties };
}

const policyFields = {
  ...common,
  targets: text('What the policy stands over, in short.', 512),
  rules: { type: 'integer', format: 'int32', description: 'How many rules it has.' },
  conflicts,
};

/** `status` of an AccessPolicy. */
export const policyStatus = status({ ...policyFields, ancestors });

/** `status` of a ClusterAccessPolicy, which stands over no route. */
export const clusterPolicyStatus = status(policyFields);

/** `status` of both kinds of provider. */
export const providerStatus = status({ ...common, keys });
