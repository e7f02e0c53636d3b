export { faultOfPath, TarError } from './tar-path.ts';
export { gunzip, readTar, type TarLimits } from './tar-read.ts';
export {
  createTar,
  createTarWriter,
  type Tar,
  type TarEntry,
  type TarWriter,
  type TreeFile,
} from './tar-write.ts';
