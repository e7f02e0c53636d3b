import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { engineFlags } from '../../../infra/engine/location.ts';
import { nodeOptionsOf } from '../../support/node-options.ts';

const root = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Instruction {
  name: string;
  args: string;
}

/** https://docs.docker.com/reference/dockerfile/#format */
function instructionsOf(text: string): Instruction[] {
  const lines = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, '');
  return lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', args = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { name, args };
    });
}

describe('the Dockerfile', () => {
  const instructions = instructionsOf(read('infra/Dockerfile'));
  const all = (name: string) => instructions.filter((each) => each.name === name).map(({ args }) => args);

  it('consists of instructions that there are, and fetches nothing by address', () => {
    const known = ['FROM', 'ARG', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'CMD'];
    expect(instructions.filter(({ name }) => !known.includes(name))).toEqual([]);
    expect(all('RUN').filter((args) => /curl|wget|https?:/.test(args))).toEqual([]);
  });

  it('names versions of what it builds on, Node 24 among them', () => {
    const images = all('FROM').map((args) => args.replace(/^--platform=\S+ /, '').split(' ')[0] ?? '');
    for (const image of images) expect(image).toMatch(/^[^:@]+[:@](?!latest)\S+$/);
    expect(images.filter((image) => /node/.test(image)).every((image) => /:24/.test(image))).toBe(true);
  });

  it('builds the engine with the flags of every other build, and says where it is', () => {
    const build = all('RUN').find((args) => args.includes('go build')) ?? '';
    const quoted = engineFlags.map((flag) => (flag.includes(' ') ? `'${flag}'` : flag));
    expect(build).toContain(quoted.join(' '));
    const [, path = ''] = /--from=engine \/engine (\S+)/.exec(all('COPY').join('\n')) ?? [];
    expect(path).not.toBe('');
    expect(all('ENV').join(' ')).toContain(`SLIPWAY_ENGINE=${path}`);
  });

  it('starts Slipway with the options of Node that the command has', () => {
    const options = nodeOptionsOf(read('bin/slipway'));
    expect(options).not.toEqual([]);
    expect(nodeOptionsOf(read('infra/image/slipway'))).toEqual(options);
  });

  it('has a directory of its user for the storage, which a fresh volume takes over', () => {
    expect(all('RUN').join('\n')).toContain('chown 65532:65532 /var/lib/slipway');
    expect(all('USER')).toEqual(['65532:65532']);
  });

  it('needs no root', () => {
    const last = instructions.findLastIndex(({ name }) => name === 'USER');
    expect(instructions[last]?.args).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(instructions.slice(last).filter(({ name }) => ['RUN', 'COPY'].includes(name))).toEqual([]);
  });

  it('copies what there is and what .dockerignore lets through, and neither tests nor a fleet file', () => {
    const ignore = read('.dockerignore').split('\n').filter(Boolean);
    expect(ignore[0]).toBe('*');
    const admitted = ignore.slice(1).map((line) => line.replace(/^!/, ''));
    const sources = all('COPY')
      .filter((args) => !args.startsWith('--from='))
      .flatMap((args) => args.split(' ').slice(0, -1));
    for (const source of sources) {
      const path = source.replace(/\/$/, '');
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(
        admitted.some((entry) => path === entry || path.startsWith(`${entry}/`)),
        path,
      ).toBe(true);
    }
    expect(admitted.filter((entry) => /test|slipway\.yaml|secrets/.test(entry))).toEqual([]);
  });

  it('has a handler by the name that the stack of a cluster calls', () => {
    const worker = read('infra/cluster/worker-lambda.yml');
    expect(worker).toContain('command: [reconcile.handler]');
    expect(all('CMD')).toEqual(['["reconcile.handler"]']);
    expect(read('infra/image/reconcile.mjs')).toContain("from './functions/reconcile.ts'");
  });
});

describe('compose.yaml', () => {
  it('runs the image without root, without capabilities and with nothing writable but its storage and /tmp', () => {
    const { services, volumes } = parse(read('infra/compose.yaml')) as {
      services: Record<string, Record<string, unknown>>;
      volumes: Record<string, unknown>;
    };
    const { slipway } = services;
    expect(slipway).toMatchObject({
      user: '65532:65532',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      entrypoint: ['slipway'],
    });
    const writable = ((slipway?.volumes ?? []) as string[]).filter((volume) => !volume.endsWith(':ro'));
    expect(writable).toEqual(['storage:/var/lib/slipway']);
    expect(Object.keys(volumes)).toEqual(['storage']);
  });
});

describe('slipway.service', () => {
  it('runs as a user of its own that may write to its state and cache alone', () => {
    const unit = read('infra/slipway.service');
    for (const line of [
      'User=slipway',
      'CapabilityBoundingSet=',
      'ProtectSystem=strict',
      'StateDirectory=slipway',
      'NoNewPrivileges=yes',
    ])
      expect(unit.split('\n')).toContain(line);
    const [, command = ''] = /^ExecStart=\/opt\/slipway\/(\S+) serve /m.exec(unit) ?? [];
    expect(existsSync(join(root, command))).toBe(true);
  });
});
