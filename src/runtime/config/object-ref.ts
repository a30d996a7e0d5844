import { isNamespaceName, type Parsed, type SettingType } from './setting-types.ts';

const form = 'namespace/name of an object, such as portcullis/revocations, or empty for none';
const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** An object of a cluster. */
export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

/** An object of a namespace, `namespace/name`; the empty text is undefined and means none. */
export function optionalObjectRef(): SettingType<ObjectRef | undefined> {
  const parse = (text: unknown): Parsed<ObjectRef | undefined> => {
    if (text === '') return { value: undefined };
    const [namespace = '', name = '', ...rest] = typeof text === 'string' ? text.split('/') : [];
    const isRef = rest.length === 0 && isNamespaceName(namespace) && objectName.test(name);
    return isRef ? { value: { namespace, name } } : { expected: form };
  };
  return {
    placeholder: 'NAMESPACE/NAME',
    form,
    arity: 'one',
    fromTexts: (texts) => parse(texts.at(-1) ?? ''),
    fromJson: parse,
    toJson: (value) => (value === undefined ? '' : `${value.namespace}/${value.name}`),
  };
}
