import type { Job } from './job.ts';

/** The FIFO group of a job: jobs of one group run one at a time, in order. */
export function groupOf(job: Job): string {
  switch (job.type) {
    case 'push':
      return `push/${job.provider}/${job.project}/${job.ref}`;
    case 'image':
      return `image/${job.images[0] ?? ''}`;
    case 'hook':
      return `hook/${job.cluster}/${job.namespace}/${job.name}`;
    case 'reconcile':
      return `${job.cluster}/${job.group}/${job.kind}/${job.namespace}/${job.name}`;
    case 'sweep':
      return `sweep/${job.cluster}`;
    case 'notify':
      return `notify/${job.destination}`;
  }
}
