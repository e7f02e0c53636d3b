// Lambda looks for handlers in JavaScript alone; Node runs the TypeScript behind it as it is.
export { handler } from './functions/reconcile.ts';
