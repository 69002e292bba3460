# By name; a stack in a folder of its own by name@folder.
terraform import mlplat_local_services.this demo
terraform import mlplat_local_services.elsewhere demo@/srv/stacks/demo
