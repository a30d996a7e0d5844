export function findMissing(root: string): string | undefined;
export function isRightNode(version: string): boolean;
