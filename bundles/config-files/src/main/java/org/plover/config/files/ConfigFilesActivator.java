package org.plover.config.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Hashtable;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationListener;
import org.osgi.util.tracker.ServiceTracker;
import org.plover.api.settings.SettingsGuard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts {@link ConfigFiles} between FileInstall, which watches the folder, and Config Admin.
 *
 * <p>It is an activator and no component because it starts before declarative services do: a configuration whose
 * file is gone has to be gone before a component can see it. It also starts before FileInstall (same start level,
 * listed first in the feature file), which reads the folder for the first time while it is being started.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class ConfigFilesActivator implements BundleActivator {

    private static final Logger LOG = LoggerFactory.getLogger(ConfigFilesActivator.class);
    /** FileInstall has a configuration installer of its own; it asks the highest ranking first. */
    private static final int BEFORE_FILEINSTALL = 100;

    private ServiceTracker<ConfigurationAdmin, ServiceRegistration<?>> admins;
    private ServiceTracker<SettingsGuard, SettingsGuard> guards;

    @Override
    public void start(BundleContext context) {
        String folder = context.getProperty("felix.fileinstall.dir");
        if (folder == null) {
            LOG.info("felix.fileinstall.dir is not set: no configuration files are watched");
        }
        guards = new ServiceTracker<>(context, SettingsGuard.class, null);
        guards.open();
        admins = new ServiceTracker<>(context, ConfigurationAdmin.class, null) {
            @Override
            public ServiceRegistration<?> addingService(ServiceReference<ConfigurationAdmin> reference) {
                ConfigFiles files = new ConfigFiles(context.getService(reference), guards::getService);
                if (folder != null) {
                    forgetVanished(files, Path.of(folder));
                }
                Hashtable<String, Object> properties = new Hashtable<>();
                properties.put(Constants.SERVICE_RANKING, BEFORE_FILEINSTALL);
                return context.registerService(
                        new String[] {ArtifactInstaller.class.getName(), ConfigurationListener.class.getName()},
                        files, properties);
            }

            @Override
            public void removedService(ServiceReference<ConfigurationAdmin> reference,
                    ServiceRegistration<?> registration) {
                registration.unregister();
                context.ungetService(reference);
            }
        };
        admins.open();
    }

    @Override
    public void stop(BundleContext context) {
        admins.close();
        guards.close();
    }

    private static void forgetVanished(ConfigFiles files, Path folder) {
        try {
            files.forgetVanished(folder);
        } catch (IOException | InvalidSyntaxException e) {
            LOG.error("cannot tell which configurations have lost their file in {}; look at them in the console",
                    folder, e);
        }
    }
}
