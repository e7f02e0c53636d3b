/** The second application of the demo: its image is followed in the registry, and newer ones are written into its manifest. */
import { stringify } from 'yaml';

/** The image and its tag in the first commit. */
export const shop = { image: 'shop', tag: '1.0.0', newTag: '1.1.0', file: 'apps/shop/shop.yaml' } as const;

const namespace = 'flux-system';

/** @param registry host and port of the registry */
export function shopFiles(registry: string): Record<string, string> {
  const image = `${registry}/${shop.image}`;
  const group = 'image.toolkit.fluxcd.io/v1';
  const metadata = { name: 'shop', namespace };
  return {
    [shop.file]: deployment(`${image}:${shop.tag}`),
    // One cluster looks after the images of both: what it writes is in the files of both.
    'clusters/staging/images.yaml': [
      {
        apiVersion: group,
        kind: 'ImageRepository',
        metadata,
        spec: { image, interval: '1h', insecure: true },
      },
      {
        apiVersion: group,
        kind: 'ImagePolicy',
        metadata,
        spec: { imageRepositoryRef: { name: 'shop' }, policy: { semver: { range: '1.x' } } },
      },
      { apiVersion: group, kind: 'ImageUpdateAutomation', metadata, spec: automation },
    ]
      .map((object) => stringify(object))
      .join('---\n'),
  };
}

const automation = {
  interval: '1h',
  sourceRef: { kind: 'GitRepository', name: 'flux-system' },
  git: {
    commit: {
      author: { name: 'Slipway', email: 'slipway@example.test' },
      messageTemplate: 'Update {{ range .Changed.Changes }}{{ .OldValue }} to {{ .NewValue }}{{ end }}',
    },
  },
  update: { path: './apps/shop', strategy: 'Setters' },
};

function deployment(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  namespace: podinfo
spec:
  selector:
    matchLabels: { app: shop }
  template:
    metadata:
      labels: { app: shop }
    spec:
      serviceAccountName: podinfo
      containers:
        - name: shop
          image: ${image} # {"$imagepolicy": "${namespace}:shop"}
`;
}
