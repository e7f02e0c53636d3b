/** Name of the cluster in the fleet file. */
export const CLUSTER = 'prod';
