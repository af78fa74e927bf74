update webhooks set provider_hook_id = $3 where project = $1 and id = $2
