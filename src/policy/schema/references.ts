import { guard, list, object, objectName, oneOf, text, type Schema } from './json-schema.ts';

/** What several kinds refer to: other documents, Secrets, ConfigMaps. All of them in the namespace of the document, or the service's for cluster kinds. */
const materialKey = text('The key in its data.', 253, { pattern: '^[-._A-Za-z0-9]+$' });

/** One value of a ConfigMap. */
export function configMapRef(description: string): Schema {
  return object(
    description,
    { name: objectName('The name of the ConfigMap.'), key: materialKey },
    { required: ['name', 'key'], isAtomic: true },
  );
}

/** One value of a Secret. */
export function secretKeyRef(description: string): Schema {
  return object(
    description,
    { name: objectName('The name of the Secret.'), key: materialKey },
    { required: ['name', 'key'], isAtomic: true },
  );
}

/** A Secret whose keys are fixed. */
export function secretRef(description: string): Schema {
  return object(description, { name: objectName('The name of the Secret.') }, { required: ['name'], isAtomic: true });
}

export function secretSelector(description: string): Schema {
  return guard(
    description,
    {
      matchLabels: {
        type: 'object',
        description: 'Labels, all of which a Secret must have with these values.',
        additionalProperties: { type: 'string', description: 'The value of the label.', maxLength: 63 },
        minProperties: 1,
        maxProperties: 16,
      },
    },
    { required: ['matchLabels'], isAtomic: true },
  );
}

const providerFields = {
  kind: oneOf(
    'IdentityProvider is of the namespace of the policy, ClusterIdentityProvider of the whole cluster.',
    ['IdentityProvider', 'ClusterIdentityProvider'],
    { default: 'IdentityProvider' },
  ),
  name: objectName('The name of the provider.'),
};

export function providerRef(description: string): Schema {
  return guard(description, providerFields, { required: ['name'] });
}

export function providerRefs(description: string): Schema {
  return list(description, providerRef('One provider.'), 16, { uniqueBy: 'name' });
}

export const headerName: Schema = text('The name of the header, in any case.', 128);
