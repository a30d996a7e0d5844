/** Pieces of work one after the other. */
export interface Turns {
  isBusy(): boolean;
  /** Settles as the work does; the next one has its turn whatever became of this one. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

/** `onFree` is told when nothing is left. */
export function createTurns(onFree: () => void): Turns {
  let last: Promise<void> | undefined;
  return {
    isBusy: () => last !== undefined,
    inTurn: (work) => {
      const done = last === undefined ? work() : last.then(work);
      const ended = (): void => {
        if (last !== over) return;
        last = undefined;
        onFree();
      };
      const over = done.then(ended, ended);
      last = over;
      return done;
    },
  };
}
