import { stringify } from 'yaml';
import { createCrds } from '../../src/policy/schema/crds.ts';

const notice = '# Written by test/tools/generate-docs.ts out of src/policy/schema: change it there and run it again.\n';

/** deploy/crds.yaml: the four CustomResourceDefinitions, a document each. */
export function renderCrds(): string {
  const documents = createCrds().map((crd) => stringify(crd, { lineWidth: 0, aliasDuplicateObjects: false }));
  return `${notice}${documents.map((text) => `---\n${text}`).join('')}`;
}
