import type { ReceiverEntry } from '../../lib/store/receivers.ts';

/** A Receiver of GitHub's pushes as the index knows it. */
export function receiverEntry(changes: Partial<ReceiverEntry> = {}): ReceiverEntry {
  return {
    cluster: 'prod',
    namespace: 'apps',
    name: 'hub',
    type: 'github',
    generation: 1,
    state: 'ready',
    events: [],
    wantsRequest: false,
    sealed: 'v1.x.y.z',
    oidcProviders: [],
    ...changes,
  };
}
