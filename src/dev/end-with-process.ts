/** Calls `kill` where this process ends before the child, also when its terminal is closed; the answer takes that back. */
export function endWithProcess(kill: () => void): () => void {
  const hangUp = (): void => {
    kill();
    process.off('SIGHUP', hangUp);
    process.kill(process.pid, 'SIGHUP');
  };
  process.once('exit', kill);
  process.on('SIGHUP', hangUp);
  return () => {
    process.off('exit', kill);
    process.off('SIGHUP', hangUp);
  };
}
