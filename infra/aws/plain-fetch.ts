/** What stands in the place of these globals in a bundle that is told to. */
export { PlainHeaders as Headers } from '../../functions/aws/plain-headers.ts';
export { PlainRequest as Request, PlainResponse as Response } from '../../functions/aws/plain-message.ts';
