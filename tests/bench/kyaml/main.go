// kyaml-inject does on kyaml what `make bench` asks inject-endpoints to do: it gives every container of the usual
// workloads the same variables and makes the same ConfigMap. It is what the bench measures beside it, and nothing else.
package main

import (
	"os"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/fn/framework"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// variable is one entry of env: a value, or the key of a Secret.
type variable struct{ name, value, secret, key string }

const secret = "mlplat-credentials"

// The variables that inject-endpoints makes of the bench's configuration, in its order.
var variables = []variable{
	{name: "PGHOST", value: "127.0.0.1"},
	{name: "PGPORT", value: "5432"},
	{name: "PGDATABASE", value: "artefacts"},
	{name: "PGSSLMODE", value: "disable"},
	{name: "PGUSER", secret: secret, key: "postgres.username"},
	{name: "PGPASSWORD", secret: secret, key: "postgres.password"},
	{name: "DATABASE_URL", value: "postgresql://$(PGUSER):$(PGPASSWORD)@127.0.0.1:5432/artefacts?sslmode=disable"},
	{name: "REDIS_HOST", value: "127.0.0.1"},
	{name: "REDIS_PORT", value: "6379"},
	{name: "REDIS_PASSWORD", secret: secret, key: "redis.password"},
	{name: "REDIS_URL", value: "redis://:$(REDIS_PASSWORD)@127.0.0.1:6379/0"},
	{name: "S3_ENDPOINT", value: "http://127.0.0.1:8333"},
	{name: "S3_REGION", value: "us-east-1"},
	{name: "S3_FORCE_PATH_STYLE", value: "true"},
	{name: "S3_BUCKET", value: "models"},
	{name: "S3_BUCKETS", value: "models"},
	{name: "AWS_ENDPOINT_URL_S3", value: "http://127.0.0.1:8333"},
	{name: "AWS_REGION", value: "us-east-1"},
	{name: "AWS_DEFAULT_REGION", value: "us-east-1"},
	{name: "MLFLOW_S3_ENDPOINT_URL", value: "http://127.0.0.1:8333"},
	{name: "AWS_ACCESS_KEY_ID", secret: secret, key: "s3.accessKeyId"},
	{name: "AWS_SECRET_ACCESS_KEY", secret: secret, key: "s3.secretAccessKey"},
}

var podSpecs = map[string][]string{
	"Deployment":  {"spec", "template", "spec"},
	"StatefulSet": {"spec", "template", "spec"},
	"CronJob":     {"spec", "jobTemplate", "spec", "template", "spec"},
}

func main() {
	process := framework.ResourceListProcessorFunc(func(list *framework.ResourceList) error {
		for _, item := range list.Items {
			path, ok := podSpecs[item.GetKind()]
			if !ok {
				continue
			}
			containers, err := item.Pipe(yaml.Lookup(append(append([]string{}, path...), "containers")...))
			if err != nil {
				return err
			}
			if err := containers.VisitElements(inject); err != nil {
				return err
			}
		}
		list.Items = append(list.Items, configMap())
		return nil
	})
	if err := framework.Execute(process, &kio.ByteReadWriter{Reader: os.Stdin, Writer: os.Stdout}); err != nil {
		os.Exit(1)
	}
}

func inject(container *yaml.RNode) error {
	env, err := container.Pipe(yaml.LookupCreate(yaml.SequenceNode, "env"))
	if err != nil {
		return err
	}
	for _, one := range variables {
		entry := yaml.NewMapRNode(&map[string]string{"name": one.name})
		if one.secret == "" {
			err = entry.PipeE(yaml.SetField("value", yaml.NewStringRNode(one.value)))
		} else {
			reference := yaml.NewMapRNode(&map[string]string{"name": one.secret, "key": one.key})
			err = entry.PipeE(yaml.LookupCreate(yaml.MappingNode, "valueFrom"), yaml.SetField("secretKeyRef", reference))
		}
		if err != nil {
			return err
		}
		if err := env.PipeE(yaml.ElementSetter{Keys: []string{"name"}, Values: []string{one.name}, Element: entry.YNode()}); err != nil {
			return err
		}
	}
	return nil
}

func configMap() *yaml.RNode {
	data := map[string]string{}
	for _, one := range variables {
		if one.secret == "" && !strings.Contains(one.value, "$(") {
			data[one.name] = one.value
		}
	}
	object := yaml.MustParse("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mlplat-endpoints, annotations: {mlplat.dev/made-by: inject-endpoints}}\n")
	object.SetDataMap(data)
	return object
}
