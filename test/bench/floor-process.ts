import process from 'node:process';
import { measureFloor } from './floor.ts';

// Measures the floor in a process of its own, so that what it leaves in memory is not taken for Slipway's.

const { connection, count, concurrency } = JSON.parse(process.argv[2] ?? '{}');
process.stdout.write(JSON.stringify(await measureFloor(connection, count, concurrency)));
