import type { KubernetesApi } from './kubernetes-api.ts';

/** The API server, of which only so many answers are waited for at once; who asked first is first. A watch is no answer. */
export function fewAtOnce(api: KubernetesApi, max: number): KubernetesApi {
  const waiting: (() => void)[] = [];
  let asked = 0;
  return {
    request: async (request) => {
      // Whoever has his answer gives his place to the next.
      if (asked === max) await new Promise<void>((resolve) => waiting.push(resolve));
      else asked += 1;
      try {
        return await api.request(request);
      } finally {
        const next = waiting.shift();
        if (next === undefined) asked -= 1;
        else next();
      }
    },
    watch: (request) => api.watch(request),
    close: () => api.close(),
  };
}
