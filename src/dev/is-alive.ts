/** True where there is a process of that id; false for what is no id. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // One that we may not signal lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
