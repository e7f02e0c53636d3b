declare module 'dynalite' {
  import type { Server } from 'node:http';
  /** @see https://github.com/architect/dynalite#readme */
  // biome-ignore lint/style/noDefaultExport: that is how the package exports it
  export default function dynalite(options?: { createTableMs?: number }): Server;
}
