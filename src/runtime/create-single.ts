import { createAnswering } from './answering.ts';
import type { Config } from './config/settings.ts';
import { createServingEngine } from './create-serving-engine.ts';
import { createSharedStores } from './create-shared-stores.ts';
import type { Deciding } from './deciding.ts';
import type { ServiceIo } from './running-service.ts';
import { userAgent } from './version.ts';

/** Everything in this process. */
export async function createSingle(config: Config, io: ServiceIo): Promise<Deciding> {
  const serving = await createServingEngine(config, io, userAgent, await createSharedStores(config, io));
  const { engine } = serving;
  try {
    const answering = await createAnswering(config, io, engine);
    return {
      engine,
      answering,
      status: () => serving.status(),
      outage: () => undefined,
      close: () => serving.close(),
    };
  } catch (thrown) {
    serving.close();
    throw thrown;
  }
}
